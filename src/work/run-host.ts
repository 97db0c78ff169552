import type { Event } from "../events.ts"
import type { JobCounter } from "../job-counter.ts"
import type { ThreadPool } from "../threads/thread-pool.ts"
import type { Settler } from "./settler.ts"

/** What a `Run` needs of its worker. */
export interface RunHost<Run> {
    readonly worker: string
    readonly maxResultBytes: number
    readonly settler: Settler
    readonly counter: JobCounter
    readonly threads: ThreadPool
    emit(event: Event): void
    /** The handler no longer needs its slot: it ended, or it was given up. */
    onSlotFree(run: Run): void
    /** The job's outcome is recorded, or the job is no longer ours. */
    onSettled(run: Run): void
    /** Whether the job is still ours, as far as we can know without asking. */
    isHeld(run: Run): boolean
    /** A failed job is to be attempted again after so many milliseconds. */
    onRetry(delayMs: number): void
}
