import { InvalidOptionError } from "./errors.ts"
import { refuse } from "./options.ts"

/** How long a line of a job's log may be, in UTF-16 units, with the mark of one that was cut. */
export const MAX_MESSAGE_LENGTH = 10_000

/** How large the JSON of a progress may be, in bytes of UTF-8. */
export const MAX_PROGRESS_BYTES = 4_096

/**
 * A line of a log, as it is kept: cut where it is too long. NUL characters and halves of surrogate pairs, which Postgres
 * cannot hold, become U+FFFD.
 *
 * @throws InvalidOptionError for what is no text.
 */
export function logMessage(value: unknown): string {
    if (typeof value !== "string") refuse("message", "a text", value)
    if (value.length <= MAX_MESSAGE_LENGTH) return value.replaceAll("\u0000", "\ufffd").toWellFormed()
    const mark = `… (cut, of ${value.length} characters)`
    // A copy: a part of a text keeps all of it in memory.
    const kept = Buffer.from(value.slice(0, MAX_MESSAGE_LENGTH - mark.length)).toString()
    return `${kept.replaceAll("\u0000", "\ufffd")}${mark}`
}

/**
 * A progress as JSON text.
 *
 * @throws InvalidOptionError for what is neither a number from 0 to 100 nor an object that JSON has a form for.
 */
export function progressText(value: unknown): string {
    if (typeof value === "number" && value >= 0 && value <= 100) return JSON.stringify(value)
    const text = typeof value === "object" && value !== null ? jsonOf(value) : undefined
    if (text === undefined || !text.startsWith("{"))
        refuse("value", "a number from 0 to 100, or an object that has a JSON form", value)
    const numBytes = Buffer.byteLength(text)
    if (numBytes > MAX_PROGRESS_BYTES)
        throw new InvalidOptionError({
            option: "value",
            message: `expected \`value\` to be at most ${MAX_PROGRESS_BYTES} bytes of JSON, got: ${numBytes} bytes`,
        })
    return text
}

/** Undefined where there is none, or where it cannot be made. */
function jsonOf(value: object): string | undefined {
    try {
        const text: unknown = JSON.stringify(value)
        return typeof text === "string" ? text : undefined
    } catch {
        return undefined
    }
}
