import { monotonicMs } from "../clock.ts"
import type { FailureReason } from "../events.ts"
import type { ClaimedJob } from "../statements/claim-jobs.ts"
import type { PutOff } from "./put-off.ts"
import type { RunHost } from "./run-host.ts"

type Host = Pick<RunHost<never>, "emit" | "counter">

/** Tells what becomes of one run, by the events of its worker, and counts it. */
export class RunReport {
    readonly #host: Host
    readonly #about: { readonly jobID: number; readonly jobName: string }
    readonly #attempt: number
    readonly #waitMs: number
    readonly #claimedAtMs: number
    #hasStarted = false

    constructor(params: { host: Host; job: ClaimedJob; jobName: string; claimedAtMs: number }) {
        const { host, job, jobName, claimedAtMs } = params
        this.#host = host
        this.#about = { jobID: job.id, jobName }
        this.#attempt = job.attempt
        this.#waitMs = job.waitMs
        this.#claimedAtMs = claimedAtMs
    }

    started(): void {
        this.#hasStarted = true
        this.#host.counter.started(this.#about.jobName, this.#waitMs)
        this.#host.emit({ eventType: "worker-job-dequeue", ...this.#about, attempt: this.#attempt })
    }

    succeeded(): void {
        this.#host.counter.succeeded(this.#about.jobName, monotonicMs() - this.#claimedAtMs)
        this.#host.emit({ eventType: "worker-job-finalize-success", ...this.#about, attempt: this.#attempt })
    }

    /** The job has succeeded, but what its job function returned is not kept. */
    resultDiscarded(reason: string): void {
        this.#host.emit({ eventType: "worker-job-result-discard", ...this.#about, reason })
    }

    /** The attempt has failed. */
    threw(error: unknown, retryDelayMs: number | null): void {
        const attempt = this.#attempt
        this.#host.emit({ eventType: "worker-job-error", ...this.#about, attempt, error, retryDelayMs })
    }

    /** The attempt has failed, and the job is to be attempted again. */
    retried(): void {
        this.#host.counter.retried(this.#about.jobName, monotonicMs() - this.#claimedAtMs)
    }

    /** The job has failed for good. */
    failed(reason: Exclude<FailureReason, "orphaned">): void {
        const runMs = this.#hasStarted ? monotonicMs() - this.#claimedAtMs : null
        this.#host.counter.failed(this.#about.jobName, reason, runMs)
        this.#host.emit({ eventType: "worker-job-finalize-failure", ...this.#about, reason })
    }

    putOff({ eventType, delayMs }: PutOff): void {
        this.#host.emit({ eventType, ...this.#about, attempt: this.#attempt, delayMs })
    }

    returned(): void {
        this.#host.emit({ eventType: "worker-job-return", ...this.#about, attempt: this.#attempt })
    }

    leaseLost(): void {
        this.#host.emit({ eventType: "worker-job-lease-lost", ...this.#about, attempt: this.#attempt })
    }

    /** The definition's `retryDelayMs` has thrown. */
    retryDelayFailed(error: unknown): void {
        const activity = `retryDelayMs of ${this.#about.jobName}`
        this.#host.emit({ eventType: "daemon-error", activity, error })
    }

    /** What the job function threw after it had completed its job changes nothing. */
    threwAfterCompletion(error: unknown): void {
        const { jobID, jobName } = this.#about
        const activity = `run ${jobName} after it completed job ${jobID}`
        this.#host.emit({ eventType: "daemon-error", activity, error })
    }
}
