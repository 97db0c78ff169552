import { type Config, type Core, coreOf } from "./config.ts"
import { checkedClient, type SqlClient } from "./db/client.ts"
import type { NewJob } from "./enqueuer.ts"
import { InvalidOptionError } from "./errors.ts"
import type { JobContext } from "./job-context.ts"
import {
    callable,
    durationMs,
    instant,
    jobID,
    knownOptions,
    listOf,
    nameText,
    positiveMs,
    wholeNumber,
} from "./options.ts"
import { encodePayload } from "./payload.ts"
import type { RegisteredJob } from "./registry.ts"
import { defaultRetryDelayMs } from "./retry.ts"

/** Does the work of a job. What it returns is kept as the job's result; what it throws, with the attempt. */
export type JobFunction<Payload extends object, Result> = (
    payload: Payload,
    context: JobContext,
) => Result | Promise<Result>

/** How long to wait before the next attempt: milliseconds, or a function of the attempt that failed. */
export type RetryDelay = number | ((params: { attempt: number; error: unknown }) => number)

/** The options of a job definition. */
export interface JobDefinitionOptions<Payload extends object, Result> {
    /** The queue that the jobs belong to. */
    config: Config
    /** A name of 1 to 255 characters, unique within the Config and, for one kind of job, the same in all processes. */
    name: string
    /** What workers filter on. Default `_default`. */
    channel?: string
    /**
     * How often a job is attempted *again* after an attempt failed: 0 is one run, 2 is up to three. A run that ends
     * with its process counts. Default 0, at most 1,000,000.
     */
    numAttempts?: number
    /**
     * Milliseconds before a failed job is attempted again, or a function that says so. Default: exponential from one
     * second with full jitter, at most ten minutes.
     */
    retryDelayMs?: RetryDelay
    /**
     * If given, a job is deferred by the orchestrators every so many milliseconds: on a fixed grid that starts when
     * the definition is first seen, one job a tick, missed ticks collapsed into one. Only for job functions that an
     * empty payload is enough for. Default `null`: no repetition.
     */
    repeatIntervalMs?: ({} extends Payload ? number : never) | null
    /**
     * At least so many milliseconds pass between two jobs of the definition being taken from the queue, over all
     * workers; retries count. Default 0: no limit.
     */
    releaseIntervalMs?: number
    /**
     * A job that is not finalized so many milliseconds after it was due is finalized as failed; the signal of a
     * handler that runs is aborted. Default 43,200,000 (12 hours).
     */
    timeoutIntervalMs?: number
    /**
     * An attempt that takes longer than so many milliseconds has failed: the signal of the job function is aborted, its
     * slot is free at once, and the job is attempted again if it may be. What the job function still does counts no
     * more, so it should heed the signal. Default `null`: an attempt takes as long as it takes.
     */
    attemptTimeoutMs?: number | null
    /**
     * The length of the lease in milliseconds: how long after its worker went silent a job is taken back. The worker
     * renews the lease while it lives, so this need not be longer than the job runs. Default 60,000; less than
     * 100 counts as 100, since a lease that lapses before its claim is answered would hand jobs round without end.
     */
    lockIntervalMs?: number
    /** Does the work. */
    jobFunction: JobFunction<Payload, Result>
}

/** The defaults of `JobDefinitionOptions`. */
export const JOB_DEFINITION_DEFAULTS = Object.freeze({
    channel: "_default",
    numAttempts: 0,
    repeatIntervalMs: null,
    releaseIntervalMs: 0,
    timeoutIntervalMs: 12 * 60 * 60_000,
    attemptTimeoutMs: null,
    lockIntervalMs: 60_000,
})

const OPTIONS = [
    "config",
    "name",
    "channel",
    "numAttempts",
    "retryDelayMs",
    "repeatIntervalMs",
    "releaseIntervalMs",
    "timeoutIntervalMs",
    "attemptTimeoutMs",
    "lockIntervalMs",
    "jobFunction",
]

const MAX_ATTEMPTS = 1_000_000

/** What a job is deferred with. */
export interface DeferOptions<Payload extends object> {
    /** What the job function is called with. Whatever JSON carries faithfully, at most `maxPayloadBytes`. */
    payload: Payload
    /** The ids of jobs that must all have succeeded before this one may start. Default none. */
    dependencies?: readonly number[]
    /** Milliseconds from now, by the database's clock, before the job may start. Default 0. */
    delayMs?: number
    /** The instant from which the job may start. Not together with `delayMs`. */
    runAt?: Date
}

/** Whose transaction to defer in. */
export interface DeferClient {
    /**
     * A client that is inside a transaction: the job exists if and when the transaction commits. Anything with
     * `query(text, values)`, such as a `pg` client or a PGlite transaction. Workers find the job when they poll next.
     */
    client?: SqlClient
}

/** The shortest lease. */
const MIN_LOCK_INTERVAL_MS = 100

/** A kind of job: its name, its rules, and the function that does the work. */
export class JobDefinition<Payload extends object, Result = void> {
    readonly #core: Core
    readonly #job: RegisteredJob

    /** @throws InvalidOptionError for an option that is unknown or out of its range. */
    constructor(options: JobDefinitionOptions<Payload, Result>) {
        knownOptions("JobDefinition", options, OPTIONS)
        this.#core = coreOf(options.config)
        const jobFunction = callable("jobFunction", options.jobFunction)
        const retryDelayMs = toRetryDelay(options.retryDelayMs)
        const {
            repeatIntervalMs = JOB_DEFINITION_DEFAULTS.repeatIntervalMs,
            attemptTimeoutMs = JOB_DEFINITION_DEFAULTS.attemptTimeoutMs,
        } = options
        this.#job = Object.freeze({
            name: nameText("name", options.name),
            channel: nameText("channel", options.channel ?? JOB_DEFINITION_DEFAULTS.channel),
            numAttempts: wholeNumber(
                "numAttempts",
                options.numAttempts ?? JOB_DEFINITION_DEFAULTS.numAttempts,
                MAX_ATTEMPTS,
            ),
            repeatIntervalMs:
                repeatIntervalMs === null ? null : positiveMs("repeatIntervalMs", repeatIntervalMs),
            releaseIntervalMs: durationMs(
                "releaseIntervalMs",
                options.releaseIntervalMs ?? JOB_DEFINITION_DEFAULTS.releaseIntervalMs,
            ),
            timeoutIntervalMs: positiveMs(
                "timeoutIntervalMs",
                options.timeoutIntervalMs ?? JOB_DEFINITION_DEFAULTS.timeoutIntervalMs,
            ),
            attemptTimeoutMs:
                attemptTimeoutMs === null ? null : positiveMs("attemptTimeoutMs", attemptTimeoutMs),
            lockIntervalMs: Math.max(
                MIN_LOCK_INTERVAL_MS,
                positiveMs(
                    "lockIntervalMs",
                    options.lockIntervalMs ?? JOB_DEFINITION_DEFAULTS.lockIntervalMs,
                ),
            ),
            retryDelayMs,
            // The payload is what `defer` encoded, so its type is the one that `defer` demanded.
            run: (payload: unknown, context: JobContext) => jobFunction(payload as Payload, context),
        })
    }

    /** The definition's name. */
    get name(): string {
        return this.#job.name
    }

    /**
     * Makes the definition known to its Config, so that the Config's workers run its jobs and its orchestrators
     * repeat and vouch for it. Call it before you construct them. Processes that only defer need not call it.
     *
     * @throws DuplicateDefinitionError when a definition of this name is registered already.
     */
    register(): void {
        this.#core.registry.register(this.#job)
    }

    /**
     * Defers one job. When the promise resolves, the job is committed, or, with `client`, part of your transaction.
     * Concurrent calls share statements, so call it as often as you like; one call costs one round trip.
     *
     * @returns the job's id.
     * @throws InvalidPayloadError, InvalidOptionError before anything is sent.
     * @throws DependencyNotFoundError when a job to depend on does not exist; your transaction stays usable.
     * @throws SchemaNotPreparedError, DatabaseError from the database. When the connection broke, the job may or
     * may not have been deferred.
     */
    async defer(options: DeferOptions<Payload> & DeferClient): Promise<number> {
        knownOptions("defer", options, ["payload", "dependencies", "delayMs", "runAt", "client"])
        return this.#core.enqueuer.defer(this.#toNewJob(options), toClient(options.client))
    }

    /**
     * Defers many jobs, all or none, up to 5,000 in a round trip.
     *
     * @returns the jobs' ids, in the order given.
     * @throws what `defer` throws.
     */
    async deferMany(jobs: readonly DeferOptions<Payload>[], options: DeferClient = {}): Promise<number[]> {
        knownOptions("deferMany", options, ["client"])
        const newJobs = listOf({
            option: "jobs",
            expected: "an array of jobs",
            value: jobs,
            check: (_option, job) => {
                knownOptions("a job of deferMany", job, ["payload", "dependencies", "delayMs", "runAt"])
                return this.#toNewJob(job as DeferOptions<Payload>)
            },
        })
        return this.#core.enqueuer.deferAll(newJobs, toClient(options.client))
    }

    #toNewJob(options: DeferOptions<Payload>): NewJob {
        const { payload, dependencies = [], delayMs, runAt } = options
        if (delayMs !== undefined && runAt !== undefined) {
            throw new InvalidOptionError({
                option: "runAt",
                message: "expected `delayMs` or `runAt`, got both",
            })
        }
        return {
            definition: this.#job,
            payload: encodePayload({
                payload,
                definition: this.#job.name,
                maxBytes: this.#core.maxPayloadBytes,
            }),
            delayMs: delayMs === undefined || durationMs("delayMs", delayMs) === 0 ? null : delayMs,
            runAtMs: runAt === undefined ? null : instant("runAt", runAt).getTime(),
            dependencies: listOf({
                option: "dependencies",
                expected: "an array of job ids",
                value: dependencies,
                check: jobID,
            }),
        }
    }
}

function toClient(client: SqlClient | undefined): SqlClient | undefined {
    return client === undefined ? undefined : checkedClient(client)
}

function toRetryDelay(option: RetryDelay | undefined): RegisteredJob["retryDelayMs"] {
    if (option === undefined) return ({ attempt }) => defaultRetryDelayMs({ attempt, random: Math.random() })
    if (typeof option === "function") return (params) => durationMs("retryDelayMs", option(params))
    const delayMs = durationMs("retryDelayMs", option)
    return () => delayMs
}
