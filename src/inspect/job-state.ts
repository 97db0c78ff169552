/**
 * What is the matter with a job. `ready`: nothing but a worker is missing, or a limit or a pause holds it back. `delayed`:
 * it is not due. `blocked`: it waits for jobs that it depends on. `running`: a worker has it. `failing`: it will not run any
 * more, and is finalized as failed in a moment. `succeeded` and `failed`: it is finalized.
 */
export type JobState = (typeof JOB_STATES)[number]

/** All states of jobs. */
export const JOB_STATES = [
    "ready",
    "delayed",
    "blocked",
    "running",
    "failing",
    "succeeded",
    "failed",
] as const

/** The state of a job, by what the database calls it. */
export function toJobState(stored: string): JobState {
    return stored === "unmet" || stored === "exhausted" ? "failing" : (stored as JobState)
}

/** The keys that a job was deferred with, for the limits and the group of its definition. */
export interface JobKeys {
    /** That of `group`; null when it has none, as in all of these. */
    group: string | null
    /** That of `concurrencyLimit`. */
    concurrency: string | null
    /** That of `rateLimit`. */
    rate: string | null
}

/** An instant of the database; null where there is none. */
export function dateOrNull(ms: number | null): Date | null {
    return ms === null ? null : new Date(ms)
}
