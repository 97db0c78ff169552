import type pg from "pg"
import type { FaultDurations } from "../profile.ts"
import type { Random } from "../random.ts"

/** A process of the peer's, as faults see it. */
export interface Victim {
    readonly name: string
    readonly role: "producer" | "worker" | "orchestrator"
    readonly pid: number
    /** Ends it with SIGKILL; the controller starts another in its place. */
    kill(): Promise<void>
    /** Asks it to end in good order, as a deploy does; another takes its place. */
    terminate(): Promise<void>
    /** Stops it as it is, until `resume`. */
    suspend(): void
    resume(): void
}

/** Which connections. All of them unless it says otherwise; `share` of those. */
export interface Connections {
    share: number
    which?: "all" | "listeners"
}

/** The proxy, told what to do to connections. All of it ends by itself when the promise resolves. */
export interface NetworkConditions {
    /** Cuts connections with RST. Returns how many. */
    reset(params: Connections): Promise<number>
    /** Ends the server's half of connections with FIN, while the client's goes on. Returns how many. */
    halfClose(params: Connections): Promise<number>
    /** Delays each chunk, both ways. */
    delay(params: { ms: number; forMs: number }): Promise<void>
    /** Passes nothing on, and at the end all of it. Returns how many connections. */
    stall(params: Connections & { forMs: number; alsoNew: boolean }): Promise<number>
    /**
     * Loses what is sent, both ways, and closes nothing: a black hole. At the end the server gives the connections
     * up; half of the clients are never told, and have to notice by themselves. Returns how many connections.
     */
    swallow(params: Connections & { forMs: number; alsoNew: boolean }): Promise<number>
    /** Refuses new connections. */
    refuse(params: { forMs: number }): Promise<void>
    /**
     * Loses the server's answer to the next `count` statements that match, after the server has done them, and cuts
     * the connection. Returns how many came in time.
     */
    loseAnswers(params: {
        matching: "commit" | "claim" | "settle" | "insert" | "any"
        count: number
        forMs: number
    }): Promise<number>
    /** Passes on a few bytes at a time. */
    split(params: { forMs: number }): Promise<void>
}

/** What a fault may touch. */
export interface Scene {
    readonly random: Random
    /** Those that run at the moment and that no other fault has in its hands. */
    readonly victims: readonly Victim[]
    readonly network: NetworkConditions
    /** A superuser's connections to the server under test, past the proxy. Rejects while the server is down. */
    readonly admin: pg.Pool
    readonly schema: string
    readonly server: {
        /** Ends the server as a crash would, and starts it again; resolves when it takes connections. */
        crash(): Promise<void>
        restart(): Promise<void>
        readonly connectionString: string
    }
    /** Role that the peer's processes log in with. */
    readonly role: string
    /** Calls the peer's preparation of its schema once more, in a process of its own. */
    prepareAgain(): Promise<void>
    /** Resolves after so many milliseconds, or at once when the campaign is ending. */
    pause(ms: number): Promise<void>
    readonly leaseMs: number
    readonly durations: FaultDurations
}

/** What a fault hit, for the record. */
export interface Hit {
    target: string
    detail?: string
}

/** One kind of fault. */
export interface Fault {
    readonly name: string
    /** How often it is drawn, beside the others. */
    readonly weight: number
    /** Nothing can be done while it lasts. Only one of these at a time. */
    readonly isOutage: boolean
    /** It lasts long and others happen meanwhile. Only one of these at a time, too. */
    readonly isBackground?: boolean
    /** Recovery must be no slower than this after its end, in milliseconds; as the table in docs/reliability.md says. */
    readonly recoveryTargetMs: number
    /** Does it, waits for its end, undoes it. Returns what was hit; undefined when there was nothing to hit. */
    inject(scene: Scene): Promise<Hit | undefined>
}
