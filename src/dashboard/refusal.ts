import { CuckmqError, InvalidOptionError, InvalidPayloadError, ScheduleNotFoundError } from "../index.ts"

/** A request is refused: its answer is an error. */
export class Refusal extends Error {
    readonly status: number
    readonly code: string
    readonly headers: Readonly<Record<string, string>>

    constructor(params: { status: number; code: string; message: string; headers?: Record<string, string> }) {
        super(params.message)
        this.status = params.status
        this.code = params.code
        this.headers = params.headers ?? {}
    }
}

/** What is asked for cannot be read. */
export function badRequest(message: string): Refusal {
    return new Refusal({ status: 400, code: "DASHBOARD_BAD_REQUEST", message })
}

/** What is asked for is not there. */
export function notFound(message: string): Refusal {
    return new Refusal({ status: 404, code: "DASHBOARD_NOT_FOUND", message })
}

/** What is asked for is not allowed. */
export function forbidden(message: string): Refusal {
    return new Refusal({ status: 403, code: "DASHBOARD_FORBIDDEN", message })
}

/** The server gave a statement up because it took too long. */
const TOO_LONG = "57014"

/**
 * Makes a refusal of whatever was thrown. What a driver says may name hosts, users and values, so none of it is told; what
 * is no refusal of ours is no one's business but that of `onError`.
 */
export function toRefusal(error: unknown): Refusal {
    if (error instanceof Refusal) return error
    if (error instanceof InvalidOptionError || error instanceof InvalidPayloadError)
        return new Refusal({ status: 400, code: error.code, message: error.message })
    if (error instanceof ScheduleNotFoundError)
        return new Refusal({ status: 404, code: error.code, message: error.message })
    if (error instanceof CuckmqError) {
        const { code } = error
        if (code === "CUCKMQ_SCHEMA_NOT_PREPARED")
            return new Refusal({ status: 503, code, message: "the queue's schema is not prepared" })
        if (code === "CUCKMQ_DATABASE") return databaseRefusal(error)
    }
    const message = "something went wrong in the dashboard's server"
    return new Refusal({ status: 500, code: "DASHBOARD_INTERNAL", message })
}

/** Whether somebody has to hear of an error, since its answer does not tell. */
export function isHidden(error: unknown): boolean {
    const { status } = toRefusal(error)
    return status >= 500 && !(error instanceof Refusal)
}

function databaseRefusal(error: CuckmqError): Refusal {
    const { code, retryable } = error
    const { sqlState } = error as { sqlState?: unknown }
    if (sqlState === TOO_LONG)
        return new Refusal({ status: 503, code, message: "the database took too long, and was told to stop" })
    const state = typeof sqlState === "string" && /^\w{1,40}$/.test(sqlState) ? ` (${sqlState})` : ""
    return retryable
        ? new Refusal({ status: 503, code, message: `the database cannot be asked${state}` })
        : new Refusal({ status: 500, code, message: `the database refused${state}` })
}
