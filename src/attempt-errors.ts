/** What an attempt threw, as history keeps it. */
export interface AttemptError {
    /** 1 for the first run, counted anew when the job is replayed. */
    attempt: number
    /** When it was recorded, by the database's clock. */
    at: Date
    /** The worker that ran the attempt; null for a job that was cancelled while none did. */
    worker: string | null
    /** The error's name. */
    name: string
    /** Its message, up to 8 KiB. */
    message: string
    /** Its stack, cut off where all of it takes more than 16 KiB; null when there was none. */
    stack: string | null
}

/** What is kept of attempts, out of the column of a job or of history. */
export type StoredErrors = (Omit<AttemptError, "at" | "stack"> & { at: string; stack?: string | null })[]

/** Reads what is kept of a job's attempts. */
export function toAttemptErrors(stored: StoredErrors | null): AttemptError[] {
    return (stored ?? []).map(({ attempt, at, worker, name, message, stack = null }) => ({
        attempt,
        at: new Date(at),
        worker,
        name,
        message,
        stack,
    }))
}
