/** What the jobs of a campaign do. A job carries its plan in its payload, so a handler needs no memory of its own. */

/** Lease length of every definition in a campaign, and how often workers look around, in milliseconds. */
export const LEASE_MS = 3_000
export const POLL_MS = 250

/** A rate-limited definition starts one job in so many milliseconds. */
export const RELEASE_MS = 200

/** The grid of the repeating definition. */
export const REPEAT_MS = 1_000

/** How long a job that never settles may take. */
export const TIMEOUT_MS = 4_000

/** How often orchestrators do their duties, and how long finished jobs are kept. */
export const CLEAN_INTERVAL_MS = 1_000
export const HISTORY_MS = 10_000

/** Attempts after the first, of every definition that is retried. */
export const NUM_RETRIES = 5

export const JOB_KINDS = [
    /** Does nothing. */
    "noop",
    /** Waits for `ms`, up to 2.5 leases: its lease must be renewed. */
    "sleep",
    /** Keeps the event loop busy for `ms`, about 1.5 leases. */
    "block",
    /** Throws on the first `failures` attempts, no more than its retries. */
    "flaky",
    /** Throws always. */
    "hopeless",
    /** Ends its process on the first `failures` attempts. */
    "abort",
    /** Never settles; ended by its timeout. */
    "hang",
    /** At most one start per `RELEASE_MS`. */
    "limited",
    /** Requires the jobs whose keys are in `requires`. */
    "dependent",
    /** Due `delayMs` after it was deferred. */
    "delayed",
    /** A payload of 256 KiB. */
    "big",
    /** A payload of hostile strings, which must arrive as it was sent: the handler compares. */
    "hostile",
    /** Writes an effect and completes in one transaction. */
    "effect",
    /** Does nothing. Its definition is paused now and then. */
    "paused",
    /** Enqueued by the schedule, without a producer: one a tick. */
    "repeat",
] as const

export type JobKind = (typeof JOB_KINDS)[number]

/** The payload of every job but those of the schedule. */
export interface Plan {
    /** Given by the producer, once: what ties records, transitions and job together. */
    readonly key: string
    readonly kind: JobKind
    readonly ms?: number
    readonly failures?: number
    readonly delayMs?: number
    /** Keys of jobs that were acknowledged before. */
    readonly requires?: readonly string[]
    /** Ballast, or hostile strings. */
    readonly text?: string
}
