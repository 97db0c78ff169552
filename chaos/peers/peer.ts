import type pg from "pg"
import type { JobKind, Plan, TickKind } from "../workload.ts"

/** Where a process of the campaign finds what it needs. */
export interface PeerOptions {
    /** Of this process: names of workers, application_name. */
    readonly process: string
    /** Through the proxy, or through PgBouncer where the role says so. */
    readonly connectionString: string
    readonly schema: string
    readonly maxConnections: number
    readonly seed: number
}

/** What a handler is told of its run. */
export interface Run {
    readonly jobID: string
    readonly attempt: number
    readonly token: string | null
    /** Where the peer has one. */
    readonly signal: AbortSignal | undefined
    /** Finalizes the job within `client`'s transaction, where the peer can. */
    readonly complete: ((client: pg.ClientBase) => Promise<void>) | undefined
    /** Throws what puts the job off, where the peer can. */
    readonly snooze?: (ms: number) => never
    /** An error that the job is not tried again after, where the peer can. */
    readonly unretryable?: (message: string) => Error
}

/** The same handler for all peers. Rejects when the attempt failed. */
export type Handler = (plan: Plan | { kind: TickKind; key: null }, run: Run) => Promise<unknown>

/** Tells a peer's own events. */
export type OnEvent = (event: { type: string; jobID: string | null; detail: string | null }) => void

/** A worker, an orchestrator, or what the peer has in their place. */
export interface Daemon {
    /** Takes no more jobs. */
    stop(): void
    /** Resolves when it has ended, running jobs included; aborts them after the grace. */
    join(graceMs: number): Promise<void>
    /** Connections of the process: [total, idle, waiting] of its pools, when the peer tells. */
    poolTotals?(): { total: number; idle: number; waiting: number }
}

export interface Producer {
    /** Defers one or many with one call, and returns their ids in order. `requires` of a plan comes as ids. */
    defer(plans: readonly { plan: Plan; requiredIDs: readonly string[] }[]): Promise<string[]>
    /** Defers within the caller's transaction, where the peer can. */
    deferIn?(
        client: pg.ClientBase,
        plans: readonly { plan: Plan; requiredIDs: readonly string[] }[],
    ): Promise<string[]>
    /** Cancels jobs, and says what became of each, where the peer can. */
    cancel?(jobIDs: readonly string[]): Promise<string[]>
    /** Dead letters of a kind, the newest first, by their ids, where the peer has any. */
    findDeadLetters?(kind: JobKind): Promise<string[]>
    /** Replays one, and says whether it was there, where the peer can. */
    replay?(jobID: string): Promise<boolean>
    /** Replays some of a kind, so many a second, and says how many, where the peer can. */
    replayMany?(kind: JobKind): Promise<number>
    /** Pauses the jobs that may be paused, or resumes them, where the peer can. */
    pause?(isPaused: boolean): Promise<void>
    poolTotals?(): { total: number; idle: number; waiting: number }
    close(): Promise<void>
}

/** One job queue in a campaign, behind the thinnest adapter that does it justice. */
export interface Peer {
    readonly name: "cuckmq" | "pg-boss" | "graphile-worker"
    /** What it can be asked to do. The others are left out of its workload. */
    readonly kinds: ReadonlySet<JobKind>
    /** Makes its tables. Called once, without faults. */
    prepare(options: PeerOptions): Promise<void>
    /** SQL that installs the triggers that write chaos.transition, once the tables are there. */
    auditText(schema: string): string
    /** SQL that counts jobs that are not finished, one row, one number: zero when the campaign has drained. */
    unfinishedText(schema: string): string
    /** A second call of it while daemons run must do no harm; a fault calls it. */
    prepareAgain(options: PeerOptions): Promise<void>
    startProducer(options: PeerOptions): Promise<Producer>
    startWorker(
        options: PeerOptions,
        params: { concurrency: number; handler: Handler; onEvent: OnEvent },
    ): Promise<Daemon>
    /** Maintenance: orchestrator, supervisor; undefined where the worker does it. */
    startOrchestrator?(options: PeerOptions, onEvent: OnEvent): Promise<Daemon>
}
