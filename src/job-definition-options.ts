import type { Config } from "./config.ts"
import type { OnMissed, OnOverlap } from "./cron/plan-ticks.ts"
import type { JobContext } from "./job-context.ts"
import { type ConcurrencyLimit, type JobGroup, type RateLimit, toGate } from "./limit-options.ts"
import {
    callable,
    durationMs,
    jobPriority,
    knownOptions,
    nameText,
    positiveMs,
    wholeNumber,
} from "./options.ts"
import type { RegisteredJob } from "./registry.ts"
import { type CronOptions, toRepetition } from "./repeat-options.ts"
import { type RetryDelay, toRetryDelay } from "./retry-options.ts"
import { toThreadModule } from "./threads/thread-module.ts"
import { toUniqueRule, type UniqueOptions } from "./unique-options.ts"

/** Does the work of a job. What it returns is kept as the job's result; what it throws, with the attempt. */
export type JobFunction<Payload extends object, Result> = (
    payload: Payload,
    context: JobContext,
) => Result | Promise<Result>

/** Any job function. */
type AnyJobFunction = (payload: never, context: JobContext) => unknown

/** The payload that a job function takes: for definitions whose job function is in a module. */
export type PayloadOf<Function extends AnyJobFunction> =
    Parameters<Function> extends [infer Payload extends object, ...unknown[]] ? Payload : {}

/** The result that a job function returns: for definitions whose job function is in a module. */
export type ResultOf<Function extends AnyJobFunction> = Awaited<ReturnType<Function>>

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
     * the definition is first seen, one job a tick. Only for job functions that an empty payload is enough for. Not
     * together with `repeatCron`. Default `null`: no repetition.
     */
    repeatIntervalMs?: ({} extends Payload ? number : never) | null
    /**
     * If given, a job is deferred by the orchestrators whenever the expression falls due, one job a tick. Only for job
     * functions that an empty payload is enough for. Not together with `repeatIntervalMs`. Default `null`: no repetition.
     */
    repeatCron?: ({} extends Payload ? CronOptions : never) | null
    /**
     * What becomes of ticks that passed while no orchestrator ran, when one does again: `once` makes one job of them, at
     * the last one, `all` makes a job of each, and `skip` none. With `skip`, a tick counts as missed when it is more than
     * a minute late or another one has come since. Default `once`. No effect on a definition that does not repeat.
     */
    onMissed?: OnMissed
    /**
     * What becomes of a tick that comes while the job of an earlier one is not finalized: `queue` defers its job all the
     * same, `skip` leaves it out. Default `queue`. No effect on a definition that does not repeat.
     */
    onOverlap?: OnOverlap
    /**
     * At least so many milliseconds pass between two jobs of the definition being taken from the queue, over all
     * workers; retries count. Default 0: no limit.
     */
    releaseIntervalMs?: number
    /**
     * How many jobs of the definition, or of each key, may run at the same time over all workers and processes. Never
     * exceeded. A place comes free when its job ends, or is taken back from a worker that went silent. Jobs beyond it
     * wait, and hold up no job of another key: keys take turns. Default `null`: no limit. Costs each claim a count of
     * what runs; jobs of such a definition are not claimed ahead. Not together with `releaseIntervalMs`.
     */
    concurrencyLimit?: ConcurrencyLimit<Payload> | null
    /**
     * How many jobs of the definition, or of each key, may be taken from the queue within any `perMs` milliseconds, over
     * all workers and processes; retries count. Never exceeded. Default `null`: no limit. Costs each claim a row to read
     * and to write for each key. Not together with `releaseIntervalMs`.
     */
    rateLimit?: RateLimit<Payload> | null
    /**
     * Which jobs of the definition belong together. Groups that have ready jobs take turns, whatever their number and
     * size; with `ordered`, the jobs of each run one after the other. Default `null`: jobs start in the order in which
     * they became ready. Not together with `releaseIntervalMs`.
     */
    group?: JobGroup<Payload> | null
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
     * For so many milliseconds at least a job that succeeded is kept in history. 0: it is not kept at all, which costs
     * least; then no job can depend on it once it has ended. Default `null`: as long as the orchestrators say
     * (`finalizedJobSweepThresholdMs`).
     */
    keepSucceededMs?: number | null
    /**
     * The same for a job that failed. 0: it is not kept at all, and cannot be replayed. Default `null`: as long as the
     * orchestrators say (`failedJobSweepThresholdMs`).
     */
    keepFailedMs?: number | null
    /**
     * The length of the lease in milliseconds: how long after its worker went silent a job is taken back. The worker
     * renews the lease while it lives, so this need not be longer than the job runs. Default 60,000; less than
     * 100 counts as 100, since a lease that lapses before its claim is answered would hand jobs round without end.
     */
    lockIntervalMs?: number
    /**
     * Which jobs of a channel are taken first: those with the smaller number, whatever their definition. A whole number
     * from -1,000 to 1,000. Default 0. A job keeps the number that it was deferred with, until `changePriority` gives it
     * another.
     */
    priority?: number
    /**
     * Where the job function runs: `"process"`, the default, is on the event loop of the process. With `"thread"` there
     * is a `module` in place of `jobFunction`: see `ThreadJobDefinitionOptions`.
     */
    runIn?: "process"
    /**
     * Which of the definition's jobs are the same, so that one of them is enough; jobs that are repeated have no key. A job
     * may be deferred with others. A deferral that meets a job with its key costs a look; one that meets none, a row more.
     * Default `null`: every deferral makes a job.
     */
    unique?: UniqueOptions<Payload> | null
    /** Does the work. */
    jobFunction: JobFunction<Payload, Result>
}

/**
 * The options of a job definition whose job function runs in a thread of its worker, so that it may keep a processor busy
 * without keeping the process from anything. The options do not tell what the module's job function takes and returns, so
 * say it: `new JobDefinition<PayloadOf<typeof resize>, ResultOf<typeof resize>>({ runIn: "thread", … })`.
 */
export interface ThreadJobDefinitionOptions<Payload extends object, Result>
    extends Omit<JobDefinitionOptions<Payload, Result>, "runIn" | "jobFunction"> {
    /**
     * Runs the job function in one of the worker's threads, which runs nothing else meanwhile. Costs two messages a job,
     * and several MB a thread.
     */
    runIn: "thread"
    /**
     * The module that exports the job function: the URL of a file, such as `new URL("./resize.js", import.meta.url)`, as
     * URL or text, or an absolute path. Each thread loads it for itself, at the first job. When it cannot be loaded, the
     * attempt fails with `ThreadModuleError`.
     */
    module: URL | string
    /** The name that the module exports the job function under. Default `default`. */
    exportName?: string
    /**
     * A job function that goes on for so many milliseconds after its signal was aborted has its thread ended, whatever it
     * does: nothing in it is told, and no `finally` runs. 0 is at once, `null` never before the worker has stopped.
     * Default 5,000.
     */
    forceAfterMs?: number | null
}

/** What `new JobDefinition` takes: a job function, or a module that exports one, and not both. */
export type AnyJobDefinitionOptions<Payload extends object, Result> =
    | (JobDefinitionOptions<Payload, Result> & { module?: never; exportName?: never; forceAfterMs?: never })
    | (ThreadJobDefinitionOptions<Payload, Result> & { jobFunction?: never })

/** The defaults of `JobDefinitionOptions`. */
export const JOB_DEFINITION_DEFAULTS = Object.freeze({
    channel: "_default",
    numAttempts: 0,
    repeatIntervalMs: null,
    repeatCron: null,
    onMissed: "once",
    onOverlap: "queue",
    releaseIntervalMs: 0,
    concurrencyLimit: null,
    rateLimit: null,
    group: null,
    timeoutIntervalMs: 12 * 60 * 60_000,
    attemptTimeoutMs: null,
    keepSucceededMs: null,
    keepFailedMs: null,
    lockIntervalMs: 60_000,
    priority: 0,
    runIn: "process",
    unique: null,
})

const OPTIONS = [
    "config",
    "name",
    "channel",
    "numAttempts",
    "retryDelayMs",
    "repeatIntervalMs",
    "repeatCron",
    "onMissed",
    "onOverlap",
    "releaseIntervalMs",
    "concurrencyLimit",
    "rateLimit",
    "group",
    "timeoutIntervalMs",
    "attemptTimeoutMs",
    "keepSucceededMs",
    "keepFailedMs",
    "lockIntervalMs",
    "priority",
    "runIn",
    "unique",
    "jobFunction",
    "module",
    "exportName",
    "forceAfterMs",
]

/** How often a job may be attempted again at the most. */
export const MAX_ATTEMPTS = 1_000_000

/** The shortest lease. */
const MIN_LOCK_INTERVAL_MS = 100

/**
 * Checks the options of a definition.
 *
 * @throws InvalidOptionError for an option that is unknown or out of its range.
 */
export function toRegisteredJob<Payload extends object, Result>(
    options: AnyJobDefinitionOptions<Payload, Result>,
): RegisteredJob {
    knownOptions("JobDefinition", options, OPTIONS)
    const retryDelayMs = toRetryDelay(options.retryDelayMs)
    const {
        attemptTimeoutMs = JOB_DEFINITION_DEFAULTS.attemptTimeoutMs,
        unique = JOB_DEFINITION_DEFAULTS.unique,
        keepSucceededMs = JOB_DEFINITION_DEFAULTS.keepSucceededMs,
        keepFailedMs = JOB_DEFINITION_DEFAULTS.keepFailedMs,
    } = options
    return Object.freeze({
        name: nameText("name", options.name),
        channel: nameText("channel", options.channel ?? JOB_DEFINITION_DEFAULTS.channel),
        numAttempts: wholeNumber(
            "numAttempts",
            options.numAttempts ?? JOB_DEFINITION_DEFAULTS.numAttempts,
            MAX_ATTEMPTS,
        ),
        ...toRepetition(options, JOB_DEFINITION_DEFAULTS),
        releaseIntervalMs: durationMs(
            "releaseIntervalMs",
            options.releaseIntervalMs ?? JOB_DEFINITION_DEFAULTS.releaseIntervalMs,
        ),
        timeoutIntervalMs: positiveMs(
            "timeoutIntervalMs",
            options.timeoutIntervalMs ?? JOB_DEFINITION_DEFAULTS.timeoutIntervalMs,
        ),
        attemptTimeoutMs: attemptTimeoutMs === null ? null : positiveMs("attemptTimeoutMs", attemptTimeoutMs),
        keepSucceededMs: keepSucceededMs === null ? null : durationMs("keepSucceededMs", keepSucceededMs),
        keepFailedMs: keepFailedMs === null ? null : durationMs("keepFailedMs", keepFailedMs),
        lockIntervalMs: Math.max(
            MIN_LOCK_INTERVAL_MS,
            positiveMs("lockIntervalMs", options.lockIntervalMs ?? JOB_DEFINITION_DEFAULTS.lockIntervalMs),
        ),
        gate: toGate(options),
        priority: jobPriority("priority", options.priority ?? JOB_DEFINITION_DEFAULTS.priority),
        unique: unique === null ? null : toUniqueRule(unique),
        retryDelayMs,
        ...toRun(options),
    })
}

function toRun<Payload extends object, Result>(
    options: AnyJobDefinitionOptions<Payload, Result>,
): Pick<RegisteredJob, "runsInThread" | "run"> {
    const module = toThreadModule(options)
    if (module !== null) {
        const run: RegisteredJob["run"] = ({ payload, context, threads }) =>
            threads.run({ module, payload, context })
        return { runsInThread: true, run }
    }
    const { jobFunction } = options as JobDefinitionOptions<Payload, Result>
    callable("jobFunction", jobFunction)
    // The payload is what `defer` encoded, so its type is the one that `defer` demanded.
    return { runsInThread: false, run: ({ payload, context }) => jobFunction(JSON.parse(payload), context) }
}
