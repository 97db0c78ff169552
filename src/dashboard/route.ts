import type { Config, Diagnosis, Inspector } from "../index.ts"
import type { Kept } from "./kept.ts"
import type { Permit } from "./permit.ts"
import type { Query } from "./query.ts"
import type { Redaction } from "./redaction.ts"
import type { Snapshots } from "./snapshots.ts"

/** What routes answer from. */
export interface Parts {
    config: Config
    inspector: Inspector
    redaction: Redaction
    snapshots: Snapshots
    diagnosis: Kept<Diagnosis>
    title: string
    isReadOnly: boolean
}

/** A request, once it was admitted. */
export interface Call {
    parts: Parts
    permit: Permit
    /** What stands for `:id` in the path. */
    id: number
    query: Query
    /** The body of a POST; empty otherwise. */
    body: object
    /** Aborted when nobody waits for the answer any more, as far as that is known. */
    signal: AbortSignal
    /** Asks again whether they who listen may still; for streams. */
    renewPermit(): Promise<Permit | undefined>
}

/** What is answered under a path. */
export interface Route {
    method: "GET" | "POST"
    /** Below `api/`, such as `jobs/:id`. */
    path: string
    /** The names that its query may have. Default: none. */
    query?: readonly string[]
    /** Whether the answer goes on until nobody listens. */
    isStream?: boolean
    /** Returns what is sent as JSON, or an answer of another kind. */
    answer(call: Call): Promise<unknown>
}
