/** What the jobs of a campaign do. A job carries its plan in its payload, so a handler needs no memory of its own. */

/** Lease length of every definition in a campaign, and how often workers look around, in milliseconds. */
export const LEASE_MS = 3_000
export const POLL_MS = 250

/** A rate-limited definition starts one job in so many milliseconds. */
export const RELEASE_MS = 200

/** Jobs of these kinds share buckets: the last part of their keys. So many run at once of each, or start within a time. */
export const NUM_BUCKETS = 3
export const PAUSED_BUCKET = "1"
export const MAX_CROWD = 2
export const RATE_MAX = 4
export const RATE_MS = 1_000

/** The grid of the repeating definition. */
export const REPEAT_MS = 1_000

/** How long a job that never settles may take. */
export const TIMEOUT_MS = 4_000

/** How often orchestrators do their duties, and how long finished jobs are kept. */
export const CLEAN_INTERVAL_MS = 1_000
export const HISTORY_MS = 10_000

/** How long jobs are kept whose definition says so itself: the least that anything is kept. */
export const KEPT_MS = 60_000

/** How many jobs of a definition become due in a second when many are replayed. */
export const REPLAYS_PER_SECOND = 20

/** The threads of a worker, and how long one has to heed its signal. One, so that a job that hangs is in the way of others. */
export const NUM_THREADS = 1
export const FORCE_AFTER_MS = 500

/** For how long a job is snoozed, and how long an attempt of a kind with a limit of it may take. */
export const SNOOZE_MS = 1_500
export const ATTEMPT_MS = 700

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
    /** Returns, throws, or throws what is not to be tried again, as its key and its claim have it. Comes before most others. */
    "broken",
    /** Throws at once what is not to be tried again. */
    "unretryable",
    /** Is snoozed in half of its claims. */
    "snoozed",
    /** Waits for its signal on the first `failures` attempts: each is ended by the limit of attempts. */
    "overrun",
    /** Ends its process on the first `failures` attempts. */
    "abort",
    /** Never settles; ended by its timeout. */
    "hang",
    /** At most one start per `RELEASE_MS`. */
    "limited",
    /** Waits for `ms`. At most `MAX_CROWD` of a bucket run at the same time. */
    "crowded",
    /** At most `RATE_MAX` of a bucket are taken within `RATE_MS`. */
    "metered",
    /** Throws on the first `failures` attempts. One of a bucket at a time, the next when it is finalized. */
    "ordered",
    /** Waits for `ms`. One of a bucket is enough: another that comes before it is finalized is not deferred. */
    "unique",
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
    /** Does nothing, or throws what is not to be tried again. Kept for `KEPT_MS`, whatever became of it. */
    "kept",
    /** Does nothing, or throws. Not kept when it has succeeded, and for `KEPT_MS` when it has failed. */
    "unkept",
    /** Does nothing. Its definition is paused now and then. */
    "paused",
    /** Does nothing. Of its buckets, `PAUSED_BUCKET` is paused now and then. */
    "key-paused",
    /** Keeps a thread busy for `ms`, up to 1.3 leases; on the first `failures` attempts it ends its thread instead. */
    "thread",
    /** Keeps a thread busy for ever; ended by its timeout, and its thread with it. */
    "thread-hang",
    /** Does nothing, and comes before all others. */
    "urgent",
    /** Enqueued because its definition repeats, without a producer: one a tick. */
    "repeat",
    /** Enqueued by a schedule with a cron expression, which every orchestrator writes down when it starts: one a tick. */
    "schedule",
] as const

export type JobKind = (typeof JOB_KINDS)[number]

/** Kinds of which no producer defers any. */
export type TickKind = "repeat" | "schedule"

/** Dead letters of these kinds are replayed. Nothing else that a campaign knows of them holds only once. */
export const REPLAYED_KINDS = ["broken", "hopeless", "kept"] as const satisfies readonly JobKind[]

/** Falls due every `REPEAT_MS`. */
export const CRON = { expression: "* * * * * *", timeZone: "Europe/Berlin" }

/** What is counted together of the kinds that are: it stands in a job's key, where the checker finds it as well. */
export function bucketOf(key: string): string {
    return key.slice(key.lastIndexOf("#") + 1)
}

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
