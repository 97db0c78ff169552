import { KINDS, messageOf } from "./thrown.ts"

/** The codes of every error that cuckmq throws. They are stable across releases. */
export type CuckmqErrorCode =
    | "CUCKMQ_INVALID_OPTION"
    | "CUCKMQ_INVALID_PAYLOAD"
    | "CUCKMQ_DUPLICATE_DEFINITION"
    | "CUCKMQ_SCHEMA_NOT_PREPARED"
    | "CUCKMQ_DEPENDENCY_NOT_FOUND"
    | "CUCKMQ_SCHEDULE_NOT_FOUND"
    | "CUCKMQ_DATABASE"
    | "CUCKMQ_LEASE_LOST"
    | "CUCKMQ_JOB_TIMEOUT"
    | "CUCKMQ_ATTEMPT_TIMEOUT"
    | "CUCKMQ_SHUTDOWN"
    | "CUCKMQ_JOB_CANCELLED"
    | "CUCKMQ_INVALID_COMPLETION"
    | "CUCKMQ_COMPLETION_NOT_COMMITTED"
    | "CUCKMQ_THREAD_EXIT"
    | "CUCKMQ_THREAD_MODULE"
    | "CUCKMQ_EMBEDDED_IN_USE"
    | "CUCKMQ_EMBEDDED_NOT_INSTALLED"

/** What every error of cuckmq extends. Branch on `code`; the message is for people. */
export class CuckmqError extends Error {
    /** A stable name for the kind of error. */
    readonly code: CuckmqErrorCode
    /** Whether the same call, repeated unchanged, may succeed. */
    readonly retryable: boolean

    constructor(params: { code: CuckmqErrorCode; message: string; retryable?: boolean; cause?: unknown }) {
        super(params.message, params.cause === undefined ? undefined : { cause: params.cause })
        this.name = new.target.name
        this.code = params.code
        this.retryable = params.retryable ?? false
        Object.defineProperty(this, KINDS, { value: kindsOf(new.target), configurable: true })
    }

    /** An error of another copy of cuckmq, or of another thread, is an instance too. */
    static override [Symbol.hasInstance](value: unknown): boolean {
        // biome-ignore lint/complexity/noThisInStatic: asked of a class that extends this one, it is about that
        const { name } = this
        // biome-ignore lint/complexity/noThisInStatic: likewise
        if (Function.prototype[Symbol.hasInstance].call(this, value)) return true
        if (typeof value !== "object" || value === null || !(KINDS in value)) return false
        return Array.isArray(value[KINDS]) && value[KINDS].includes(name)
    }
}

function kindsOf(target: unknown): string[] {
    if (typeof target !== "function" || target === Error) return []
    return [target.name, ...kindsOf(Object.getPrototypeOf(target))]
}

/** An option has a value that it cannot have, or a name that does not exist. Thrown before anything is done. */
export class InvalidOptionError extends CuckmqError {
    /** The option at fault. */
    readonly option: string

    constructor(params: { option: string; message: string }) {
        super({ code: "CUCKMQ_INVALID_OPTION", message: params.message })
        this.option = params.option
    }
}

/**
 * A payload, or a result given to `complete`, that JSON cannot carry or that is too large. Thrown before anything is
 * sent.
 */
export class InvalidPayloadError extends CuckmqError {
    /** The definition whose job was to be deferred or completed. */
    readonly definition: string
    /** Where in the payload or the result the fault is, such as `payload.items[3].price`. */
    readonly path: string

    constructor(params: { definition: string; path: string; reason: string; cause?: unknown }) {
        super({
            code: "CUCKMQ_INVALID_PAYLOAD",
            message: `job definition "${params.definition}": ${params.path} ${params.reason}`,
            cause: params.cause,
        })
        this.definition = params.definition
        this.path = params.path
    }
}

/** Two job definitions of one name were registered with one Config. */
export class DuplicateDefinitionError extends CuckmqError {
    /** The name that both have. */
    readonly definition: string

    constructor(definition: string) {
        super({
            code: "CUCKMQ_DUPLICATE_DEFINITION",
            message: `a job definition named "${definition}" is registered already: names are unique within a Config`,
        })
        this.definition = definition
    }
}

/** The tables of cuckmq are not in the database, or are older than this release needs. */
export class SchemaNotPreparedError extends CuckmqError {
    constructor(params: { schema: string; cause?: unknown }) {
        super({
            code: "CUCKMQ_SCHEMA_NOT_PREPARED",
            message: `the schema ${params.schema} is not prepared: call \`await config.prepareSchema()\` first`,
            cause: params.cause,
        })
    }
}

/** A job was to depend on jobs that do not exist: never deferred, rolled back, or swept from history. */
export class DependencyNotFoundError extends CuckmqError {
    /** The ids that were not found. */
    readonly jobIDs: readonly number[]

    constructor(params: { definition: string; jobIDs: readonly number[] }) {
        super({
            code: "CUCKMQ_DEPENDENCY_NOT_FOUND",
            message: `job definition "${params.definition}": no job with id ${params.jobIDs.join(", ")} to depend on; nothing was deferred`,
        })
        this.jobIDs = params.jobIDs
    }
}

/** There is no schedule of this name. */
export class ScheduleNotFoundError extends CuckmqError {
    /** The name that was not found. */
    readonly schedule: string

    constructor(schedule: string) {
        super({ code: "CUCKMQ_SCHEDULE_NOT_FOUND", message: `there is no schedule named "${schedule}"` })
        this.schedule = schedule
    }
}

/** The database refused, or could not be reached. `cause` is the driver's error. */
export class DatabaseError extends CuckmqError {
    /** The SQLSTATE, or the driver's error code such as `ECONNREFUSED`, if there was one. */
    readonly sqlState: string | undefined

    constructor(params: {
        action: string
        sqlState: string | undefined
        retryable: boolean
        cause: unknown
    }) {
        super({
            code: "CUCKMQ_DATABASE",
            message: `${params.action} failed: ${messageOf(params.cause)}`,
            retryable: params.retryable,
            cause: params.cause,
        })
        this.sqlState = params.sqlState
    }
}

/**
 * The reason of an aborted signal, and what `complete` throws: the worker no longer holds the job, so its outcome will
 * not be recorded.
 */
export class LeaseLostError extends CuckmqError {
    constructor(jobID: number) {
        super({
            code: "CUCKMQ_LEASE_LOST",
            message: `the lease of job ${jobID} was lost: its outcome is no longer ours to record`,
        })
    }
}

/** The reason of an aborted signal: the job existed longer than its `timeoutIntervalMs`. */
export class JobTimeoutError extends CuckmqError {
    constructor(jobID: number) {
        super({ code: "CUCKMQ_JOB_TIMEOUT", message: `job ${jobID} timed out` })
    }
}

/**
 * What an attempt fails with that took longer than its definition's `attemptTimeoutMs`, and the reason of its aborted
 * signal.
 */
export class AttemptTimeoutError extends CuckmqError {
    constructor(params: { jobID: number; attempt: number }) {
        super({
            code: "CUCKMQ_ATTEMPT_TIMEOUT",
            message: `attempt ${params.attempt} of job ${params.jobID} timed out`,
        })
    }
}

/** The reason of an aborted signal, and what history keeps of the job: it was cancelled. */
export class JobCancelledError extends CuckmqError {
    /** Why, as whoever cancelled the job has said; null when they did not. */
    readonly reason: string | null

    constructor(params: { jobID: number; reason: string | null }) {
        const { jobID, reason } = params
        super({
            code: "CUCKMQ_JOB_CANCELLED",
            message: `job ${jobID} was cancelled${reason === null ? "" : `: ${reason}`}`,
        })
        this.reason = reason
    }
}

/** The reason of an aborted signal: the worker stops, and its grace is over. */
export class ShutdownError extends CuckmqError {
    constructor(jobID: number) {
        super({
            code: "CUCKMQ_SHUTDOWN",
            message: `the worker stops: job ${jobID} is handed back to the queue`,
        })
    }
}

/**
 * `complete` was called out of turn: the job is completed already, or is being completed, or its job function has
 * ended.
 */
export class InvalidCompletionError extends CuckmqError {
    constructor(params: { jobID: number; reason: string }) {
        super({
            code: "CUCKMQ_INVALID_COMPLETION",
            message: `job ${params.jobID} cannot be completed: ${params.reason}`,
        })
    }
}

/**
 * What an attempt fails with when its job function called `complete` and returned, but the transaction was rolled
 * back. `cause` is what `complete` threw, if it did.
 */
export class CompletionNotCommittedError extends CuckmqError {
    constructor(params: { jobID: number; cause?: unknown }) {
        super({
            code: "CUCKMQ_COMPLETION_NOT_COMMITTED",
            message: `job ${params.jobID} called complete, but its transaction was not committed`,
            cause: params.cause,
        })
    }
}

/**
 * What an attempt fails with whose job function runs in a thread, when that ended before it: the job function called
 * `process.exit`, something threw where nobody caught it, memory ran out, or it did not heed its aborted signal. `cause`
 * is what was thrown, or the reason of the signal.
 */
export class ThreadExitError extends CuckmqError {
    constructor(params: { jobID: number; how: string; cause?: unknown }) {
        super({
            code: "CUCKMQ_THREAD_EXIT",
            message: `the thread that ran job ${params.jobID} ${params.how}`,
            cause: params.cause,
        })
    }
}

/** What an attempt fails with whose job function cannot be had from its `module`. `cause` says why. */
export class ThreadModuleError extends CuckmqError {
    /** The URL of the module. */
    readonly module: string

    constructor(params: { url: string; exportName: string; cause?: unknown }) {
        super({
            code: "CUCKMQ_THREAD_MODULE",
            message: `no job function "${params.exportName}" can be had from ${params.url}: ${messageOf(params.cause)}`,
            cause: params.cause,
        })
        this.module = params.url
    }
}

/** Another process, or this one, has the embedded database's folder open already. */
export class EmbeddedInUseError extends CuckmqError {
    constructor(params: { dataDir: string; pid: number }) {
        super({
            code: "CUCKMQ_EMBEDDED_IN_USE",
            message: `the embedded database in ${params.dataDir} is in use by process ${params.pid}: it serves one process at a time; use a Postgres server for more`,
        })
    }
}

/** The package that the embedded database runs on, an optional peer of cuckmq, is not installed. */
export class EmbeddedNotInstalledError extends CuckmqError {
    constructor(params: { cause: unknown }) {
        super({
            code: "CUCKMQ_EMBEDDED_NOT_INSTALLED",
            message: "the embedded database needs PGlite: run `npm install @electric-sql/pglite`",
            cause: params.cause,
        })
    }
}
