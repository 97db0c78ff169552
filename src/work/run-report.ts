import type { FailureReason } from "../events.ts"
import type { PutOff } from "./put-off.ts"
import type { RunHost } from "./run-host.ts"

/** Tells what becomes of one run, by the events of its worker. */
export class RunReport {
    readonly #host: Pick<RunHost<never>, "emit">
    readonly #about: { readonly jobID: number; readonly jobName: string }
    readonly #attempt: number

    constructor(
        host: Pick<RunHost<never>, "emit">,
        { jobID, jobName, attempt }: { jobID: number; jobName: string; attempt: number },
    ) {
        this.#host = host
        this.#about = { jobID, jobName }
        this.#attempt = attempt
    }

    started(): void {
        this.#host.emit({ eventType: "worker-job-dequeue", ...this.#about, attempt: this.#attempt })
    }

    succeeded(): void {
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

    /** The job has failed for good. */
    failed(reason: Exclude<FailureReason, "orphaned">): void {
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
