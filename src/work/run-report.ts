import { monotonicMs } from "../clock.ts"
import type { Event, FailureReason } from "../events.ts"
import type { JobCounter } from "../job-counter.ts"
import type { ClaimedJob } from "../statements/claim-jobs.ts"
import type { PutOff } from "./put-off.ts"

/** A run that is told about. */
interface Reported {
    readonly job: ClaimedJob
    readonly jobName: string
    readonly claimedAtMs: number
    /** Whether its job function was called. */
    readonly hasStarted: boolean
}

/** Tells what becomes of the runs of a worker, by its events, and counts it. One for all of them: there are many. */
export class RunReport {
    readonly #emit: (event: Event) => void
    readonly #counter: JobCounter

    constructor(params: { emit: (event: Event) => void; counter: JobCounter }) {
        this.#emit = params.emit
        this.#counter = params.counter
    }

    started(run: Reported): void {
        this.#counter.started(run.jobName, run.job.waitMs)
        const { job, jobName } = run
        // Written out, as what is told of every job is.
        this.#emit({ eventType: "worker-job-dequeue", jobID: job.id, jobName, attempt: job.attempt })
    }

    succeeded(run: Reported): void {
        this.#counter.succeeded(run.jobName, monotonicMs() - run.claimedAtMs)
        const { job, jobName } = run
        this.#emit({ eventType: "worker-job-finalize-success", jobID: job.id, jobName, attempt: job.attempt })
    }

    /** The job has succeeded, but what its job function returned is not kept. */
    resultDiscarded(run: Reported, reason: string): void {
        this.#emit({ eventType: "worker-job-result-discard", ...aboutOf(run), reason })
    }

    /** The attempt has failed. */
    threw(run: Reported, error: unknown, retryDelayMs: number | null): void {
        const attempt = run.job.attempt
        this.#emit({ eventType: "worker-job-error", ...aboutOf(run), attempt, error, retryDelayMs })
    }

    /** The attempt has failed, and the job is to be attempted again. */
    retried(run: Reported): void {
        this.#counter.retried(run.jobName, monotonicMs() - run.claimedAtMs)
    }

    /** The job has failed for good. */
    failed(run: Reported, reason: Exclude<FailureReason, "orphaned">): void {
        const runMs = run.hasStarted ? monotonicMs() - run.claimedAtMs : null
        this.#counter.failed(run.jobName, reason, runMs)
        this.#emit({ eventType: "worker-job-finalize-failure", ...aboutOf(run), reason })
    }

    putOff(run: Reported, { eventType, delayMs }: PutOff): void {
        this.#emit({ eventType, ...aboutOf(run), attempt: run.job.attempt, delayMs })
    }

    returned(run: Reported): void {
        this.#emit({ eventType: "worker-job-return", ...aboutOf(run), attempt: run.job.attempt })
    }

    leaseLost(run: Reported): void {
        this.#emit({ eventType: "worker-job-lease-lost", ...aboutOf(run), attempt: run.job.attempt })
    }

    /** The definition's `retryDelayMs` has thrown. */
    retryDelayFailed(run: Reported, error: unknown): void {
        const activity = `retryDelayMs of ${run.jobName}`
        this.#emit({ eventType: "daemon-error", activity, error })
    }

    /** What the job function threw after it had completed its job changes nothing. */
    threwAfterCompletion(run: Reported, error: unknown): void {
        const { jobID, jobName } = aboutOf(run)
        const activity = `run ${jobName} after it completed job ${jobID}`
        this.#emit({ eventType: "daemon-error", activity, error })
    }
}

function aboutOf({ job, jobName }: Reported): { jobID: number; jobName: string } {
    return { jobID: job.id, jobName }
}
