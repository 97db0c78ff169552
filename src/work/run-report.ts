import { monotonicMs } from "../clock.ts"
import type { FailureReason } from "../events.ts"
import type { ClaimedJob } from "../statements/claim-jobs.ts"
import type { PutOff } from "./put-off.ts"
import type { RunHost } from "./run-host.ts"

type Host = Pick<RunHost<never>, "emit" | "counter">

/** Tells what becomes of one run, by the events of its worker, and counts it. */
export class RunReport {
    readonly #host: Host
    readonly #job: ClaimedJob
    readonly #jobName: string
    readonly #claimedAtMs: number
    #hasStarted = false

    constructor(params: { host: Host; job: ClaimedJob; jobName: string; claimedAtMs: number }) {
        this.#host = params.host
        this.#job = params.job
        this.#jobName = params.jobName
        this.#claimedAtMs = params.claimedAtMs
    }

    started(): void {
        this.#hasStarted = true
        this.#host.counter.started(this.#jobName, this.#job.waitMs)
        this.#host.emit({ eventType: "worker-job-dequeue", ...this.#about, attempt: this.#job.attempt })
    }

    succeeded(): void {
        this.#host.counter.succeeded(this.#jobName, monotonicMs() - this.#claimedAtMs)
        this.#host.emit({
            eventType: "worker-job-finalize-success",
            ...this.#about,
            attempt: this.#job.attempt,
        })
    }

    /** The job has succeeded, but what its job function returned is not kept. */
    resultDiscarded(reason: string): void {
        this.#host.emit({ eventType: "worker-job-result-discard", ...this.#about, reason })
    }

    /** The attempt has failed. */
    threw(error: unknown, retryDelayMs: number | null): void {
        const attempt = this.#job.attempt
        this.#host.emit({ eventType: "worker-job-error", ...this.#about, attempt, error, retryDelayMs })
    }

    /** The attempt has failed, and the job is to be attempted again. */
    retried(): void {
        this.#host.counter.retried(this.#jobName, monotonicMs() - this.#claimedAtMs)
    }

    /** The job has failed for good. */
    failed(reason: Exclude<FailureReason, "orphaned">): void {
        const runMs = this.#hasStarted ? monotonicMs() - this.#claimedAtMs : null
        this.#host.counter.failed(this.#jobName, reason, runMs)
        this.#host.emit({ eventType: "worker-job-finalize-failure", ...this.#about, reason })
    }

    putOff({ eventType, delayMs }: PutOff): void {
        this.#host.emit({ eventType, ...this.#about, attempt: this.#job.attempt, delayMs })
    }

    returned(): void {
        this.#host.emit({ eventType: "worker-job-return", ...this.#about, attempt: this.#job.attempt })
    }

    leaseLost(): void {
        this.#host.emit({ eventType: "worker-job-lease-lost", ...this.#about, attempt: this.#job.attempt })
    }

    /** The definition's `retryDelayMs` has thrown. */
    retryDelayFailed(error: unknown): void {
        const activity = `retryDelayMs of ${this.#jobName}`
        this.#host.emit({ eventType: "daemon-error", activity, error })
    }

    /** What the job function threw after it had completed its job changes nothing. */
    threwAfterCompletion(error: unknown): void {
        const { jobID, jobName } = this.#about
        const activity = `run ${jobName} after it completed job ${jobID}`
        this.#host.emit({ eventType: "daemon-error", activity, error })
    }

    get #about(): { jobID: number; jobName: string } {
        return { jobID: this.#job.id, jobName: this.#jobName }
    }
}
