import type { SqlClient } from "./db/client.ts"

/** What `JobContext#complete` is called with. */
export interface CompleteOptions {
    /**
     * A client that is inside a transaction of yours: the job is finalized if and when the transaction commits. Anything
     * with `query(text, values)`, such as a `pg` client or a PGlite transaction.
     */
    client: SqlClient
    /**
     * The job's result, as `JSON.stringify` has it, at most `maxPayloadBytes`. It takes the place of what the job
     * function returns. Default none.
     */
    result?: unknown
}

/** What a context knows of its run, and asks of it. */
interface ContextRun {
    readonly id: number
    readonly jobName: string
    readonly token: number
    readonly job: { readonly attempt: number; readonly dueAtMs: number }
    complete(options: CompleteOptions): Promise<void>
    snooze(delayMs: number): never
    rateLimited(delayMs: number): never
    log(message: string): void
    setProgress(value: number | object): void
}

/** What a job function is told about the run, as its second argument. */
export class JobContext {
    /** The id that `defer` returned. */
    readonly jobID: number
    /** The name of the job's definition. */
    readonly name: string
    /** 1 on the first run, 2 on the first retry. */
    readonly attempt: number
    /**
     * The number of the claim: it goes up each time that the job is taken from the queue. Hand it, with `jobID`, to
     * systems outside the database, and let them refuse a lower one than they have seen: so a run that was cut off
     * and goes on regardless does no harm there.
     */
    readonly token: number
    readonly #run: ContextRun
    #controller: AbortController | undefined
    #reason: Error | undefined

    constructor(run: ContextRun) {
        this.jobID = run.id
        this.name = run.jobName
        this.attempt = run.job.attempt
        this.token = run.token
        this.#run = run
    }

    /**
     * When the job was due first, by the database's clock: the tick of a repeating definition or a schedule, or the
     * deferral and its delay. The same in all attempts, also after `snooze`. A new `Date` each time.
     */
    get dueAt(): Date {
        return new Date(this.#run.job.dueAtMs)
    }

    /**
     * Aborted when the outcome of this run no longer counts: its lease was lost, the job was cancelled, the job or the
     * attempt timed out, or the worker stops and its grace is over. `signal.reason` is a `LeaseLostError`,
     * `JobCancelledError`, `JobTimeoutError`, `AttemptTimeoutError` or `ShutdownError`.
     */
    get signal(): AbortSignal {
        // Made at first use: most handlers never ask, and a controller costs more than the rest of a run.
        this.#controller ??= new AbortController()
        if (this.#reason !== undefined) this.#controller.abort(this.#reason)
        return this.#controller.signal
    }

    /**
     * Finalizes the job as succeeded within your own transaction, so that what the job function wrote there and the
     * end of the job are committed together, or neither is. Jobs that depend on it are released by the same commit.
     * Call it last, commit, and return. When it throws, roll back; your transaction is as it was before the call.
     *
     * Once it was called, the job succeeds by that commit and in no other way: what the job function returns is
     * ignored, and if it returns without a commit, the attempt fails with `CompletionNotCommittedError`. After a
     * rollback it may be called again in another transaction.
     *
     * @throws LeaseLostError when the job is no longer this run's to complete; the reason of `signal` when the run
     * timed out, was handed back, or has heard that its job is cancelled.
     * @throws InvalidCompletionError when the job is completed already, or the job function has ended.
     * @throws InvalidOptionError when `client` is not inside a transaction; InvalidPayloadError when the result cannot
     * be kept.
     * @throws DatabaseError from the database. At `repeatable read` and `serializable` its `sqlState` may be `40001`.
     */
    get complete(): (options: CompleteOptions) => Promise<void> {
        // Bound, since job functions like to take apart what they are given; and bound only when one asks.
        return (options) => this.#run.complete(options)
    }

    /**
     * Puts the job off for so many milliseconds: this run ends, and the job is run again when they have passed, by
     * whichever worker is free. The run is not charged: `attempt` is the same next time, and `timeoutIntervalMs` counts
     * from the new time. Never returns; it throws what must be let through, so write `return context.snooze(60_000)`
     * outside of `try`. May be done any number of times. Costs one update of the job, shared with other jobs that end.
     *
     * @throws InvalidOptionError when `delayMs` is not a number from zero to 100 years.
     */
    get snooze(): (delayMs: number) => never {
        return (delayMs) => this.#run.snooze(delayMs)
    }

    /**
     * Tells that the other side has had enough: this run ends, and for so many milliseconds no job is taken from the queue
     * that counts under the same key of `rateLimit`, or, without a key, none of the definition. Made for an answer such as
     * `429 Too Many Requests` with its `Retry-After`. The job goes back to its old place and is not charged: `attempt` is
     * the same next time; `timeoutIntervalMs` goes on counting. Jobs that run already go on. Never returns; it throws what
     * must be let through, so write `return context.rateLimited(ms)` outside of `try`.
     *
     * @throws InvalidOptionError when the definition has no `rateLimit`, or `delayMs` is not a number from zero to 100
     * years.
     */
    get rateLimited(): (delayMs: number) => never {
        return (delayMs) => this.#run.rateLimited(delayMs)
    }

    /**
     * Adds a line to the job's log, for `inspector.logs` and the command line to show. Returns at once: lines are written in
     * batches, within half a second, and before the outcome of the run is recorded. The last 1,000 lines of a job are kept, for
     * as long as the job is live or in history. A line has up to 10,000 characters, a longer one is cut and says so. When more
     * is logged than can be written, the oldest that wait are left out, and a line says how many. What cannot be written fails
     * no job; `daemon-error` tells of it.
     *
     * @throws InvalidOptionError for what is no text.
     */
    get log(): (message: string) => void {
        return (message) => this.#run.log(message)
    }

    /**
     * Says how far the job is: a number from 0 to 100, or any object whose JSON has up to 4,096 bytes, as it is now. The last
     * one counts, also those of earlier attempts until there is one of this. Returns at once; it is written as lines of `log`
     * are. Once the outcome of the run is decided it does nothing.
     *
     * @throws InvalidOptionError for anything else.
     */
    get setProgress(): (value: number | object) => void {
        return (value) => this.#run.setProgress(value)
    }

    /** Aborts the signal of a run. */
    static abort(context: JobContext, reason: Error): void {
        context.#reason ??= reason
        context.#controller?.abort(context.#reason)
    }
}
