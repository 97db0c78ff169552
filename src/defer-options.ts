import type { SqlClient } from "./db/client.ts"
import type { NewJob } from "./enqueuer.ts"
import { InvalidOptionError } from "./errors.ts"
import { placeOf } from "./gate.ts"
import { MAX_ATTEMPTS } from "./job-definition-options.ts"
import { refuseInOrder } from "./limit-options.ts"
import {
    durationMs,
    instant,
    jobID,
    jobPriority,
    knownOptions,
    listOf,
    positiveMs,
    wholeNumber,
} from "./options.ts"
import { encodePayload } from "./payload.ts"
import type { RegisteredJob } from "./registry.ts"
import { toKeyRule, type UniqueOptions } from "./unique-options.ts"

export type { Deferral } from "./unique-jobs.ts"

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
    /**
     * Which jobs of a channel are taken first: those with the smaller number. A whole number from -1,000 to 1,000. Default
     * that of the definition. Not of a definition whose groups are ordered.
     */
    priority?: number
    /**
     * Which jobs this one is the same as; what is not given is as the definition has it. `null`: it has no key, whatever the
     * definition says. Together with `dependencies` only where the other job is kept. Default: as the definition has it.
     */
    unique?: Partial<UniqueOptions<Payload>> | null
    /** How often this job is attempted *again*, in place of what its definition says. At most 1,000,000. */
    numAttempts?: number
    /** The milliseconds after which this job times out, in place of what its definition says. */
    timeoutIntervalMs?: number
    /** The longest that one attempt of this job may take, in place of what its definition says; `null`: any time. */
    attemptTimeoutMs?: number | null
}

/** Whose transaction to defer in. */
export interface DeferClient {
    /**
     * A client that is inside a transaction: the job exists if and when the transaction commits. Anything with
     * `query(text, values)`, such as a `pg` client or a PGlite transaction. Workers find the job when they poll next.
     */
    client?: SqlClient
}

const LIMITS = ["numAttempts", "timeoutIntervalMs", "attemptTimeoutMs"] as const

/** The options of one of many jobs, and those of a job alone. */
export const JOB_OPTIONS = ["payload", "dependencies", "delayMs", "runAt", "priority", "unique", ...LIMITS]
export const DEFER_OPTIONS = [...JOB_OPTIONS, "client"]

const NO_DEPENDENCIES: readonly number[] = Object.freeze([])

/** Checks what a job is deferred with; those of the options `known` that no job has are the caller's to see to. */
export function toNewJob<Payload extends object>({
    owner,
    options,
    known,
    definition,
    maxPayloadBytes,
}: {
    owner: string
    options: DeferOptions<Payload>
    known: readonly string[]
    definition: RegisteredJob
    maxPayloadBytes: number
}): NewJob {
    knownOptions(owner, options, known)
    const { payload, dependencies, delayMs, runAt, priority } = options
    if (delayMs !== undefined && runAt !== undefined) {
        throw new InvalidOptionError({
            option: "runAt",
            message: "expected `delayMs` or `runAt`, got both",
        })
    }
    const { gate, name } = definition
    if (priority !== undefined && gate?.isOrdered) refuseInOrder()
    const job: NewJob = {
        definition,
        payload: encodePayload({ payload, definition: name, maxBytes: maxPayloadBytes }),
        placing: gate === null ? null : placeOf({ definition: name, gate, payload }),
        delayMs: delayMs === undefined || durationMs("delayMs", delayMs) === 0 ? null : delayMs,
        runAtMs: runAt === undefined ? null : instant("runAt", runAt).getTime(),
        priority: priority === undefined ? null : jobPriority("priority", priority),
        dependencies: dependencies === undefined ? NO_DEPENDENCIES : checkedDependencies(dependencies),
        unique: toKeyRule({ payload, options: options.unique, definition }),
        limits: toLimits(options),
    }
    checkTogether(job)
    return job
}

function checkedDependencies(value: unknown): number[] {
    return listOf({ option: "dependencies", expected: "an array of job ids", value, check: jobID })
}

/** What a job that stands is changed to must say all that there is to say. */
function checkTogether({ unique, dependencies, delayMs, runAtMs }: NewJob): void {
    if (unique === null) return
    if (dependencies.length > 0 && unique.onConflict !== "keep") {
        throw new InvalidOptionError({
            option: "dependencies",
            message: `expected no \`dependencies\` together with \`onConflict: "${unique.onConflict}"\``,
        })
    }
    if (unique.maxWaitMs !== null && (runAtMs !== null || (delayMs ?? 0) > unique.maxWaitMs)) {
        throw new InvalidOptionError({
            option: "unique.maxWaitMs",
            message:
                "expected `unique.maxWaitMs` together with a `delayMs` of at most as much, and no `runAt`",
        })
    }
}

/** Null for a job that is content with what its definition says. */
function toLimits(options: Pick<DeferOptions<object>, (typeof LIMITS)[number]>): NewJob["limits"] {
    const { numAttempts, timeoutIntervalMs, attemptTimeoutMs } = options
    if (numAttempts === undefined && timeoutIntervalMs === undefined && attemptTimeoutMs === undefined)
        return null
    return {
        numAttempts: numAttempts === undefined ? null : wholeNumber("numAttempts", numAttempts, MAX_ATTEMPTS),
        timeoutIntervalMs:
            timeoutIntervalMs === undefined ? null : positiveMs("timeoutIntervalMs", timeoutIntervalMs),
        attemptTimeoutMs: toAttemptTimeout(attemptTimeoutMs),
    }
}

function toAttemptTimeout(option: number | null | undefined): number | null {
    if (option === undefined) return null
    return option === null ? Number.POSITIVE_INFINITY : positiveMs("attemptTimeoutMs", option)
}
