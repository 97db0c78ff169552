import { Alarm, monotonicMs } from "../clock.ts"
import { JobTimeoutError, LeaseLostError, ShutdownError } from "../errors.ts"
import type { Event } from "../events.ts"
import { JobContext } from "../job-context.ts"
import { encodeResult } from "../payload.ts"
import type { RegisteredJob } from "../registry.ts"
import { defaultRetryDelayMs } from "../retry.ts"
import type { ClaimedJob } from "../statements/claim-jobs.ts"
import { recordThrown } from "../thrown.ts"
import type { HeldJob } from "./lease-keeper.ts"
import type { Settled, Settler } from "./settler.ts"

/** Timers for deadlines further away than this are not set: the job will hardly run that long. */
export const FAR_MS = 60_000

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

/** One claimed job, from the claim until its outcome is recorded. Knows nothing of polling. */
export class JobRun implements HeldJob {
    readonly job: ClaimedJob
    readonly #definition: RegisteredJob
    readonly #host: RunHost
    readonly #deadlineMs: number
    readonly #alarm = new Alarm(() => this.#checkDeadline())
    #context: JobContext | undefined
    /** The outcome is decided; whatever the handler still does changes nothing. */
    #isOver = false
    #isShuttingDown = false
    #isLeaseLost = false

    constructor(params: { job: ClaimedJob; definition: RegisteredJob; host: RunHost; answeredAtMs: number }) {
        this.job = params.job
        this.#definition = params.definition
        this.#host = params.host
        this.#deadlineMs = params.answeredAtMs + params.job.timeoutMs
    }

    get id(): number {
        return this.job.id
    }

    get token(): number {
        return this.job.token
    }

    /** Runs the handler. Resolves when the outcome is decided by the handler or by others; never rejects. */
    async start(): Promise<void> {
        // It may have waited for its slot, behind a handler that blocked the process, for longer than its lease.
        if (!this.#host.isHeld(this)) return this.giveBack()
        if (this.#deadlineMs <= monotonicMs()) return this.#timeOut()
        this.#context = new JobContext({
            jobID: this.job.id,
            name: this.#definition.name,
            attempt: this.job.attempt,
        })
        this.#watchDeadline()
        this.#host.emit({ eventType: "worker-job-dequeue", ...this.#about(), attempt: this.job.attempt })
        try {
            const result = await this.#definition.run(JSON.parse(this.job.payload), this.#context)
            this.#succeed(result)
        } catch (thrown) {
            this.#fail(thrown)
        }
    }

    /** Checks a deadline that was too far away for a timer. */
    watch(): void {
        if (!this.#isOver) this.#watchDeadline()
    }

    /** Aborts the handler's signal because the worker stops. What it throws from now on hands the job back. */
    abortForShutdown(): void {
        this.#isShuttingDown = true
        if (this.#context !== undefined) JobContext.abort(this.#context, new ShutdownError(this.job.id))
    }

    /** Hands the job back, whatever the handler still does. */
    giveBack(): void {
        if (!this.#end()) return
        this.#settle(this.#host.settler.giveBack({ id: this.id, token: this.token }), () => {
            this.#host.emit({ eventType: "worker-job-return", ...this.#about(), attempt: this.job.attempt })
        })
    }

    onLeaseLost(): void {
        if (this.#isLeaseLost) return
        this.#isLeaseLost = true
        if (this.#context !== undefined) JobContext.abort(this.#context, new LeaseLostError(this.job.id))
        this.#host.emit({ eventType: "worker-job-lease-lost", ...this.#about(), attempt: this.job.attempt })
    }

    #succeed(returned: unknown): void {
        if (!this.#end()) return
        const result = encodeResult(returned, this.#host.maxResultBytes)
        const text = "text" in result ? result.text : null
        this.#settle(
            this.#host.settler.succeed({ id: this.id, token: this.token, result: text, error: null }),
            () => {
                if ("reason" in result) {
                    this.#host.emit({
                        eventType: "worker-job-result-discard",
                        ...this.#about(),
                        reason: result.reason,
                    })
                }
                this.#host.emit({
                    eventType: "worker-job-finalize-success",
                    ...this.#about(),
                    attempt: this.job.attempt,
                })
            },
        )
    }

    #fail(thrown: unknown): void {
        if (this.#isShuttingDown) return this.giveBack()
        if (!this.#end()) return
        const { attempt, numAttempts } = this.job
        const error = JSON.stringify(recordThrown({ thrown, attempt, worker: this.#host.worker }))
        const retryDelayMs = attempt > numAttempts ? null : this.#retryDelayMs(thrown)
        this.#host.emit({
            eventType: "worker-job-error",
            ...this.#about(),
            attempt,
            error: thrown,
            retryDelayMs,
        })
        if (retryDelayMs === null) this.#finalizeFailed("error", error)
        else {
            const retry = { id: this.id, token: this.token, delayMs: retryDelayMs, error }
            this.#settle(this.#host.settler.retry(retry), () => this.#host.onRetry(retryDelayMs))
        }
    }

    #timeOut(): void {
        if (!this.#end()) return
        const reason = new JobTimeoutError(this.job.id)
        if (this.#context !== undefined) JobContext.abort(this.#context, reason)
        const record = {
            ...recordThrown({ thrown: reason, attempt: this.job.attempt, worker: this.#host.worker }),
            stack: null,
        }
        this.#finalizeFailed("timeout", JSON.stringify(record))
    }

    #finalizeFailed(reason: "error" | "timeout", error: string): void {
        const job = { id: this.id, token: this.token, result: null, error }
        this.#settle(this.#host.settler.fail(job, reason), () => {
            this.#host.emit({ eventType: "worker-job-finalize-failure", ...this.#about(), reason })
        })
    }

    /** A delay function of the user may throw or answer nonsense; the job is retried all the same. */
    #retryDelayMs(error: unknown): number {
        const { attempt } = this.job
        try {
            return this.#definition.retryDelayMs({ attempt, error })
        } catch (cause) {
            this.#host.emit({
                eventType: "daemon-error",
                activity: `retryDelayMs of ${this.#definition.name}`,
                error: cause,
            })
            return defaultRetryDelayMs({ attempt, random: Math.random() })
        }
    }

    /** Decides the outcome, once. Returns false when it was decided before. */
    #end(): boolean {
        if (this.#isOver) return false
        this.#isOver = true
        this.#alarm.clear()
        this.#host.onSlotFree(this)
        return true
    }

    #settle(settled: Promise<Settled>, onRecorded: () => void): void {
        void settled.then((outcome) => {
            this.#host.onSettled(this)
            if (outcome === "recorded") onRecorded()
            else if (outcome === "lost") this.onLeaseLost()
        })
    }

    #watchDeadline(): void {
        const leftMs = this.#deadlineMs - monotonicMs()
        if (leftMs < FAR_MS) this.#alarm.set(leftMs)
    }

    #checkDeadline(): void {
        if (this.#deadlineMs > monotonicMs()) this.#watchDeadline()
        else this.#timeOut()
    }

    #about(): { jobID: number; jobName: string } {
        return { jobID: this.job.id, jobName: this.#definition.name }
    }
}
