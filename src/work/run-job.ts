import { monotonicMs } from "../clock.ts"
import {
    AttemptTimeoutError,
    CompletionNotCommittedError,
    InvalidCompletionError,
    JobCancelledError,
    JobTimeoutError,
    LeaseLostError,
    ShutdownError,
} from "../errors.ts"
import { isHoldingBack } from "../gate.ts"
import { type CompleteOptions, JobContext } from "../job-context.ts"
import { encodeResult } from "../payload.ts"
import type { RegisteredJob } from "../registry.ts"
import { isUnretryable, retryDelayAfter } from "../retry.ts"
import type { ClaimedJob } from "../statements/claim-jobs.ts"
import { recordThrown } from "../thrown.ts"
import { Completion } from "./completion.ts"
import { Deadlines, FAR_MS } from "./deadlines.ts"
import type { HeldJob } from "./lease-keeper.ts"
import { LoggedRun } from "./logged-run.ts"
import { PutOff } from "./put-off.ts"
import type { RunHost } from "./run-host.ts"
import type { Settled } from "./settler.ts"

type Host = RunHost<JobRun>

/** One claimed job, from the claim until its outcome is recorded. Knows nothing of polling. */
export class JobRun extends LoggedRun<JobRun> implements HeldJob {
    readonly runsInThread: boolean
    /** When the claim was answered. */
    readonly claimedAtMs: number
    readonly #definition: RegisteredJob
    /** Made where one is near, or the attempt has one: most runs have none, and there are thousands a second. */
    #deadlines: Deadlines | undefined
    #context: JobContext | undefined
    #completion: Completion | undefined
    /** Why we gave the handler up, if we did. */
    #givenUp: Error | undefined
    #isShuttingDown = false
    #isLeaseLost = false

    constructor(params: { job: ClaimedJob; definition: RegisteredJob; host: Host; answeredAtMs: number }) {
        super(params)
        this.#definition = params.definition
        this.runsInThread = params.definition.runsInThread
        this.claimedAtMs = params.answeredAtMs
    }

    get id(): number {
        return this.job.id
    }

    /** Whether it holds a place of its definition's until its outcome is recorded. */
    get isGated(): boolean {
        return isHoldingBack(this.#definition.gate)
    }

    get token(): number {
        return this.job.token
    }

    get jobName(): string {
        return this.#definition.name
    }

    get hasStarted(): boolean {
        return this.#context !== undefined
    }

    get #timesOutAtMs(): number {
        return this.claimedAtMs + this.job.timeoutMs
    }

    /** Runs the handler. Resolves when the outcome is decided by the handler or by others; never rejects. */
    async start(): Promise<void> {
        // It may have waited for its slot, behind a handler that blocked the process, for longer than its lease.
        if (!this.host.isHeld(this)) return this.giveBack()
        if (this.#timesOutAtMs <= monotonicMs()) return this.timeOut()
        this.#context = new JobContext(this)
        this.#watchAttempt(this.job.attemptTimeoutMs ?? this.#definition.attemptTimeoutMs)
        this.host.report.started(this)
        try {
            const call = { payload: this.job.payload, context: this.#context, threads: this.host.threads }
            this.#succeed(await this.#definition.run(call))
        } catch (thrown) {
            if (PutOff.isOf(this, thrown)) this.#putOff(thrown)
            else this.#fail({ value: thrown })
        }
    }

    /** Completes the job within a transaction of the handler's own. */
    async complete(options: CompleteOptions): Promise<void> {
        if (this.isOver) {
            if (this.#context?.signal.aborted) throw this.#context.signal.reason
            throw new InvalidCompletionError({ jobID: this.id, reason: "its job function has ended" })
        }
        this.#completion ??= new Completion({ key: this, definition: this.#definition, host: this.host })
        // Not waited for: the transaction may hold the only connection there is.
        this.writeLog()
        return this.#completion.complete(options)
    }

    /** Ends the run: what it throws is to be let through by the handler. */
    snooze(delayMs: number): never {
        throw PutOff.snooze(this, delayMs)
    }

    /** The same, and no job that counts under the same rate is claimed meanwhile. */
    rateLimited(delayMs: number): never {
        throw PutOff.rateLimited(this, delayMs, this.#definition)
    }

    /** Checks deadlines that were too far away for a timer. */
    watch(): void {
        if (this.isOver) return
        if (this.#deadlines === undefined && this.#timesOutAtMs - monotonicMs() >= FAR_MS) return
        this.#deadlines ??= new Deadlines(this, { jobMs: this.#timesOutAtMs })
        this.#deadlines.watch()
    }

    #watchAttempt(timeoutMs: number | null): void {
        if (timeoutMs !== null) {
            const attemptMs = monotonicMs() + timeoutMs
            this.#deadlines = new Deadlines(this, { jobMs: this.#timesOutAtMs, attemptMs })
        }
        this.watch()
    }

    timeOut(): void {
        this.#giveUp(new JobTimeoutError(this.id), "timeout")
    }

    /** Somebody has cancelled the job. */
    cancel(reason: string | null): void {
        this.#giveUp(new JobCancelledError({ jobID: this.id, reason }), "cancelled")
    }

    timeOutAttempt(): void {
        this.#givenUp = new AttemptTimeoutError({ jobID: this.id, attempt: this.job.attempt })
        this.#abort(this.#givenUp)
        this.#fail({ value: this.#givenUp })
    }

    /** Aborts the handler's signal because the worker stops. What it throws from now on hands the job back. */
    abortForShutdown(): void {
        this.#isShuttingDown = true
        this.#abort(new ShutdownError(this.job.id))
    }

    /** Hands the job back, whatever the handler still does. */
    giveBack(): void {
        if (!this.#end()) return
        const { settler } = this.host
        const write = () => settler.giveBack({ id: this.id, token: this.token })
        this.#settle(write, () => this.host.report.returned(this))
    }

    onLeaseLost(): void {
        if (this.#isLeaseLost) return
        this.#isLeaseLost = true
        this.#abort(new LeaseLostError(this.job.id))
        this.host.report.leaseLost(this)
    }

    /** Ends the job for good, whatever the handler still does. */
    #giveUp(error: Error, reason: "timeout" | "cancelled"): void {
        if (!this.#end()) return
        this.#givenUp = error
        this.#abort(error)
        const job = { id: this.id, token: this.token, result: null, error: this.#recordOf(error) }
        this.#settle(
            () => this.host.settler.fail(job, reason, this.#definition),
            () => this.host.report.failed(this, reason),
        )
    }

    #succeed(returned: unknown): void {
        // A success without what the handler wrote would be none, so what it returned does not count.
        if (this.#completion !== undefined) return this.#fail()
        if (!this.#end()) return
        const result = encodeResult(returned, this.host.maxResultBytes)
        const text = "text" in result ? result.text : null
        this.#conclude(
            this.hasLog ? this.afterLog(() => this.#writeResult(text)) : this.#writeResult(text),
            () => {
                if ("reason" in result) this.host.report.resultDiscarded(this, result.reason)
                this.host.report.succeeded(this)
            },
        )
    }

    #writeResult(result: string | null): Promise<Settled> {
        const job = { id: this.id, token: this.token, result, error: null }
        return this.host.settler.succeed(job, this.#definition)
    }

    /** The handler has failed: with what it threw, or by returning without the commit that it promised. */
    #fail(thrown?: { readonly value: unknown }): void {
        if (this.#isShuttingDown) return this.giveBack()
        if (!this.#end()) return
        const completion = this.#completion
        if (completion !== undefined) completion.thrown = thrown
        let retryDelayMs: number | null = null
        const write = () => {
            const error =
                thrown === undefined
                    ? new CompletionNotCommittedError({ jobID: this.id, cause: completion?.cause })
                    : thrown.value
            const isLast = this.job.attempt > this.job.numAttempts || isUnretryable(error)
            retryDelayMs = isLast ? null : this.#retryDelayMs(error)
            this.#tellError(error, retryDelayMs)
            return this.#writeError(error, retryDelayMs)
        }
        this.#settle(write, () => {
            if (retryDelayMs === null) return this.host.report.failed(this, "error")
            this.host.report.retried(this)
            this.host.onRetry(retryDelayMs)
        })
    }

    /** While a transaction that completes the job may be open, it is not known yet that the attempt has failed. */
    #tellError(error: unknown, retryDelayMs: number | null): void {
        if (this.#completion === undefined) this.host.report.threw(this, error, retryDelayMs)
        else this.#completion.failure = { error, retryDelayMs }
    }

    #writeError(thrown: unknown, retryDelayMs: number | null): Promise<Settled> {
        const { settler } = this.host
        const error = this.#recordOf(thrown)
        const key = { id: this.id, token: this.token }
        if (retryDelayMs === null)
            return settler.fail({ ...key, result: null, error }, "error", this.#definition)
        return settler.retry({ ...key, delayMs: retryDelayMs, error })
    }

    /** What history keeps of what was thrown, as JSON text. */
    #recordOf(thrown: unknown): string {
        const record = recordThrown({ thrown, attempt: this.job.attempt, worker: this.host.worker })
        // Where we gave the handler up says nothing about what it did.
        return JSON.stringify(thrown === this.#givenUp ? { ...record, stack: null } : record)
    }

    /** The handler wants its job to be run again later. */
    #putOff(thrown: PutOff): void {
        if (!this.#end()) return
        const write = () => thrown.write(this.host.settler)
        this.#settle(write, () => {
            this.host.report.putOff(this, thrown)
            this.host.onRetry(thrown.delayMs)
        })
    }

    #retryDelayMs(error: unknown): number {
        const { retryDelayMs } = this.#definition
        const onError = (cause: unknown) => this.host.report.retryDelayFailed(this, cause)
        return retryDelayAfter({ attempt: this.job.attempt, error, retryDelayMs, onError })
    }

    /** Decides the outcome, once. Returns false when it was decided before. */
    #end(): boolean {
        if (this.isOver) return false
        this.isOver = true
        this.#deadlines?.clear()
        this.host.onSlotFree(this)
        return true
    }

    /** Writes an outcome down, unless the handler has completed the job. */
    #settle(write: () => Promise<Settled>, onRecorded: () => void): void {
        const completion = this.#completion
        const { settler } = this.host
        const record = completion === undefined ? write : () => settler.unlessCompleted(completion, write)
        this.#conclude(this.afterLog(record), onRecorded)
    }

    #conclude(settled: Promise<Settled>, onRecorded: () => void): void {
        void settled.then((outcome) => {
            this.host.onSettled(this)
            if (outcome === "completed") return this.#tellCompleted()
            const failure = this.#completion?.failure
            if (failure !== undefined) this.host.report.threw(this, failure.error, failure.retryDelayMs)
            if (outcome === "recorded") onRecorded()
            else if (outcome === "lost") this.onLeaseLost()
        })
    }

    #tellCompleted(): void {
        this.host.report.succeeded(this)
        const thrown = this.#completion?.thrown
        if (thrown !== undefined) this.host.report.threwAfterCompletion(this, thrown.value)
    }

    #abort(reason: Error): void {
        if (this.#context !== undefined) JobContext.abort(this.#context, reason)
    }
}
