import type { JobLogs } from "../job-logs.ts"
import type { ThreadPool } from "../threads/thread-pool.ts"
import type { RunReport } from "./run-report.ts"
import type { Settler } from "./settler.ts"

/** What a `Run` needs of its worker. */
export interface RunHost<Run> {
    readonly worker: string
    readonly maxResultBytes: number
    readonly settler: Settler
    readonly report: RunReport
    readonly logs: JobLogs
    readonly threads: ThreadPool
    /** The handler no longer needs its slot: it ended, or it was given up. */
    onSlotFree(run: Run): void
    /** The job's outcome is recorded, or the job is no longer ours. */
    onSettled(run: Run): void
    /** Whether the job is still ours, as far as we can know without asking. */
    isHeld(run: Run): boolean
    /** A failed job is to be attempted again after so many milliseconds. */
    onRetry(delayMs: number): void
}
