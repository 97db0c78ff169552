import { CuckmqError, DatabaseError, SchemaNotPreparedError } from "../errors.ts"

/** Serialization failure and deadlock: the server rolled everything back, so the same work may be done again. */
const ROLLED_BACK = new Set(["40001", "40P01"])

/** A table, schema, type or function is not there. */
const NOT_PREPARED = new Set(["42P01", "3F000", "42704", "42883", "42703"])

/** Connection lost, shutting down, out of resources, read-only, cancelled, lock not available. */
const TRANSIENT_STATE = /^(08|53|57|25006|40|55P03)/

/** A caller's own client may throw anything, such as a proxy that cannot be read. */
function sqlStateOf(error: unknown): string | undefined {
    if (typeof error !== "object" || error === null) return undefined
    try {
        const { code } = error as { code?: unknown }
        return typeof code === "string" ? code : undefined
    } catch {
        return undefined
    }
}

/** Whether the server undid the statement or transaction whole, by itself. */
export function wasRolledBack(error: unknown): boolean {
    return ROLLED_BACK.has(sqlStateOf(error) ?? "")
}

/** No connection was had, so nothing was sent. */
export class NotSentError extends Error {
    constructor(cause: unknown) {
        super(cause instanceof Error ? cause.message : String(cause), { cause })
    }
}

/** The statement was sent, and whether it was done nobody says. */
export class NoAnswerError extends Error {}

/** Whether nothing of the statement was done: it was not sent, or the server answered with a refusal. */
export function wasRefused(error: unknown): boolean {
    if (error instanceof NotSentError) return true
    const state = sqlStateOf(error) ?? ""
    return /^[0-9A-Z]{5}$/.test(state) && !state.startsWith("08") && !state.startsWith("57P")
}

/** Whether the server gave a statement up because it took too long, so that a smaller one may do. */
export function wasTooLong(error: unknown): boolean {
    return sqlStateOf(error) === "57014"
}

/** Whether the server refused the values themselves, so that the same ones will be refused again. */
export function refusesValues(error: unknown): boolean {
    return /^(22|54)...$/.test(sqlStateOf(error) ?? "")
}

/** Whether a connection does not know what was prepared, knows it already, or has another shape of it; nothing was done. */
export function wasPreparedElsewhere(error: unknown): boolean {
    return /^(26000|42P05|0A000)$/.test(sqlStateOf(error) ?? "")
}

/** Whether the role lacks a privilege. */
export function lacksPrivilege(error: unknown): boolean {
    return sqlStateOf(error) === "42501"
}

/** Whether a lock could not be had in the time set for it. */
export function lockNotAvailable(error: unknown): boolean {
    return sqlStateOf(error) === "55P03"
}

/** Whether a statement that needs a transaction was sent outside of one. */
export function isOutsideTransaction(error: unknown): boolean {
    return sqlStateOf(error) === "25P01"
}

function isA<Type>(Class: abstract new (...args: never[]) => Type, error: unknown): error is Type {
    try {
        return error instanceof Class
    } catch {
        return false
    }
}

/** Does work of which a failure is told in our words. */
export async function inOurWords<T>(
    told: { action: string; schema: string },
    work: () => Promise<T>,
): Promise<T> {
    try {
        return await work()
    } catch (error) {
        throw toCuckmqError({ ...told, error })
    }
}

/** Makes one of our errors of whatever a driver threw, so that no raw SQL error reaches the user. */
export function toCuckmqError(params: { error: unknown; action: string; schema: string }): CuckmqError {
    const { action, schema } = params
    const error = isA(NotSentError, params.error) ? params.error.cause : params.error
    if (isA(CuckmqError, error)) return error
    const sqlState = sqlStateOf(error)
    if (sqlState !== undefined && NOT_PREPARED.has(sqlState))
        return new SchemaNotPreparedError({ schema, cause: error })
    // What has no SQLSTATE comes from the driver or the socket: the connection is gone.
    const retryable = sqlState === undefined || sqlState.length !== 5 || TRANSIENT_STATE.test(sqlState)
    return new DatabaseError({ action, sqlState, retryable, cause: error })
}
