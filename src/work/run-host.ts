import type { Event } from "../events.ts"
import type { JobRun } from "./run-job.ts"
import type { Settler } from "./settler.ts"

/** What a run needs of its worker. */
export interface RunHost {
    readonly worker: string
    readonly maxResultBytes: number
    readonly settler: Settler
    emit(event: Event): void
    /** The handler no longer needs its slot: it ended, or it was given up. */
    onSlotFree(run: JobRun): void
    /** The job's outcome is recorded, or the job is no longer ours. */
    onSettled(run: JobRun): void
    /** Whether the job is still ours, as far as we can know without asking. */
    isHeld(run: JobRun): boolean
    /** A failed job is to be attempted again after so many milliseconds. */
    onRetry(delayMs: number): void
}
