import type { Servers } from "../servers.ts"

/** What a job carries. */
export interface Payload {
    [key: string]: string | number
    text: string
}

export type Handler = (payload: Payload) => void | Promise<void>

/** `default`: nothing set. `fast`: what the system's own documentation gives for speed. */
export type Mode = "default" | "fast"

export interface PeerOptions {
    servers: Servers
    /** A schema, or a prefix, that is this run's own. */
    schema: string
    mode: Mode
    /** What the scenario asks of the system: some settings help the one and harm the other. */
    goal: "rate" | "latency"
}

/** One system, as the scenarios see it: one queue with one kind of job. */
export interface Peer {
    /** Creates tables and queues. Called once for each schema. */
    setup(): Promise<void>
    /** Opens what is needed to enqueue or to work. */
    connect(): Promise<void>
    /** One call of the system's way to enqueue many jobs. */
    enqueueMany(payloads: readonly Payload[]): Promise<void>
    /** One call of the system's way to enqueue a job; resolves when the job is stored. */
    enqueueOne(payload: Payload): Promise<void>
    /** What so many concurrent callers could reach in `ms`, where it is not done with `enqueueOne`. */
    enqueueTogether?(numCallers: number, payload: Payload, ms: number): Promise<number>
    /** Starts a worker; `concurrency` overrides that of the mode. */
    work(handler: Handler, concurrency?: number): Promise<void>
    /** Stops the worker; another may be started. */
    rest(): Promise<void>
    /** Jobs that are not finished. */
    numUnfinished(): Promise<number>
}

export type MakePeer = (options: PeerOptions) => Peer

/** A payload whose JSON has about so many bytes. */
export function payloadOf(numBytes: number, extra: Record<string, string | number> = {}): Payload {
    const rest = JSON.stringify({ ...extra, text: "" }).length
    // Not one letter over and over, which any compression would fold.
    let text = ""
    for (let i = 0; text.length < numBytes - rest; i++) text += ((i * 2_654_435_761) >>> 0).toString(36)
    return { ...extra, text: text.slice(0, Math.max(0, numBytes - rest)) }
}
