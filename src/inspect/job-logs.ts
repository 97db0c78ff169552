import { InvalidOptionError } from "../errors.ts"
import { knownOptions, oneOf, positiveNumber } from "../options.ts"
import type { LogPlace, LogRow } from "../statements/select-job-logs.ts"

/** The options of `Inspector#logs`. */
export interface LogsOptions {
    /** Which lines come first. Default `oldest`. */
    order?: "oldest" | "newest"
    /** How many lines a page has, 1 to 1,000. Default 100. */
    limit?: number
    /** Where to go on: `next` or `place` of another page, of the same order. */
    after?: string
}

/** The defaults of `LogsOptions`. */
export const LOGS_DEFAULTS = Object.freeze({ order: "oldest", limit: 100 })

/** A line that a job function has logged. */
export interface JobLogLine {
    /** When it did, by the database's clock. */
    at: Date
    /** In which attempt. */
    attempt: number
    /** What it said. Whatever is in it, such as control characters, is there. */
    message: string
}

/** A page of a job's log. */
export interface JobLogPage {
    /** Its lines. */
    logs: JobLogLine[]
    /** Where the next page begins, for `after`; null when there is none yet. */
    next: string | null
    /** Where this page ends, for `after`, to ask for lines that come later; null when it has no lines. */
    place: string | null
}

const MAX_LIMIT = 1_000
const FIRST: LogPlace = { token: -1, number: -1 }
const LAST: LogPlace = { token: Number.MAX_SAFE_INTEGER, number: Number.MAX_SAFE_INTEGER }

/** Options as a statement takes them. */
export function toLogQuery(options: LogsOptions): {
    order: "oldest" | "newest"
    limit: number
    after: LogPlace
} {
    knownOptions("logs", options, ["order", "limit", "after"])
    const order = oneOf("order", options.order ?? LOGS_DEFAULTS.order, ["oldest", "newest"])
    const limit = positiveNumber("limit", options.limit ?? LOGS_DEFAULTS.limit, MAX_LIMIT)
    if (options.after === undefined || options.after === null)
        return { order, limit, after: order === "oldest" ? FIRST : LAST }
    const [, token, number] =
        /^(\d{1,15})\.(\d{1,15})$/.exec(typeof options.after === "string" ? options.after : "") ?? []
    if (token === undefined)
        throw new InvalidOptionError({
            option: "after",
            message: "expected `after` to be `next` or `place` of a page",
        })
    return { order, limit, after: { token: Number(token), number: Number(number) } }
}

/** Makes a page of rows, of which there may be one more than fit. */
export function toLogPage(rows: readonly LogRow[], limit: number): JobLogPage {
    const shown = rows.slice(0, limit)
    const last = shown.at(-1)
    const place = last === undefined ? null : `${last.token}.${last.number}`
    return {
        logs: shown.map(({ atMs, attempt, message }) => ({ at: new Date(atMs), attempt, message })),
        next: rows.length > limit ? place : null,
        place,
    }
}
