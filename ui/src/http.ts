import type { ErrorAnswer } from "./answers.ts"

/** That a request was refused or came to nothing. */
export class RequestError extends Error {
    /** The code of the answer, or `NETWORK` when there was none. */
    readonly code: string
    /** The status of the answer; 0 when there was none. */
    readonly status: number

    constructor(params: { code: string; status: number; message: string }) {
        super(params.message)
        this.code = params.code
        this.status = params.status
    }
}

/** Whether there is nothing, or nothing any more, of what was asked for. */
export function isGone(error: unknown): boolean {
    return error instanceof RequestError && error.status === 404
}

/** What may stand in the query of a request; what is undefined or empty is left out. */
export type Query = Record<string, string | number | boolean | undefined>

/** Longer than any request may take on the server. */
const TIMEOUT_MS = 30_000

/** Asks for something. */
export function get<Answer>(path: string, query: Query = {}, signal?: AbortSignal): Promise<Answer> {
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "")
    const params = new URLSearchParams(given.map(([name, value]) => [name, String(value)]))
    const url = given.length === 0 ? path : `${path}?${params}`
    return send(url, { signal: withTimeout(signal) })
}

/** Has something done. */
export function post<Answer>(path: string, body: object): Promise<Answer> {
    return send(path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: withTimeout(undefined),
    })
}

/** A name as a part of a path. */
export function segment(name: string | number): string {
    return encodeURIComponent(name)
}

async function send<Answer>(path: string, init: RequestInit): Promise<Answer> {
    let response: Response
    let body: unknown
    try {
        response = await fetch(`api/${path}`, { credentials: "same-origin", ...init })
        body = await response.json()
    } catch (error) {
        if (init.signal?.aborted && !isTimeout(error)) throw error
        throw new RequestError({ code: "NETWORK", status: 0, message: networkMessage(error) })
    }
    if (response.ok) return body as Answer
    const { code = "UNKNOWN", message = `The server answered ${response.status}.` } =
        (body as Partial<ErrorAnswer>).error ?? {}
    throw new RequestError({ code, status: response.status, message })
}

function networkMessage(error: unknown): string {
    if (isTimeout(error)) return `The dashboard's server did not answer within ${TIMEOUT_MS / 1_000} seconds.`
    if (error instanceof SyntaxError) return "The dashboard's server answered something that is not JSON."
    return "The dashboard's server cannot be reached."
}

function isTimeout(error: unknown): boolean {
    return error instanceof DOMException && error.name === "TimeoutError"
}

function withTimeout(signal: AbortSignal | undefined): AbortSignal {
    const timeout = AbortSignal.timeout(TIMEOUT_MS)
    return signal === undefined ? timeout : AbortSignal.any([timeout, signal])
}

/** What to show of anything that was thrown. */
export function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error)
}
