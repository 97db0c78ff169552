/** What is kept of a value that a handler threw. */
export interface ThrownRecord {
    attempt: number
    name: string
    message: string
    stack: string | null
    /** Null where none ran the job. */
    worker: string | null
}

/** The names of the classes that an error of ours is of, for other copies of cuckmq and other threads to know it by. */
export const KINDS: unique symbol = Symbol.for("cuckmq.kinds")

/** How much of an error is kept, in bytes of UTF-8. */
const MAX_BYTES = 16 * 1024
const MAX_NAME_BYTES = 256
/** The database adds the time. */
const DATE_BYTES = 64
const MAX_MESSAGE_BYTES = MAX_BYTES / 2

/** Makes a record of whatever was thrown: errors, texts, undefined, proxies that throw when touched. Never throws. */
export function recordThrown(params: {
    thrown: unknown
    attempt: number
    worker: string | null
}): ThrownRecord {
    const name = cap(clean(read(params.thrown, "name") ?? typeof params.thrown), MAX_NAME_BYTES)
    const message = messageOf(params.thrown)
    const record = { attempt: params.attempt, name, message, stack: null, worker: params.worker }
    const stack = read(params.thrown, "stack")
    if (stack === undefined) return record
    const room = MAX_BYTES - DATE_BYTES - Buffer.byteLength(JSON.stringify(record))
    return { ...record, stack: cap(clean(stack), room) }
}

/** The message of whatever was thrown, or what stands for one. Never throws. */
export function messageOf(thrown: unknown): string {
    return cap(clean(read(thrown, "message") ?? describe(thrown)), MAX_MESSAGE_BYTES)
}

function read(thrown: unknown, field: "name" | "message" | "stack"): string | undefined {
    if ((typeof thrown !== "object" && typeof thrown !== "function") || thrown === null) return undefined
    try {
        const value: unknown = (thrown as Record<string, unknown>)[field]
        return typeof value === "string" && value !== "" ? value : undefined
    } catch {
        return undefined
    }
}

function describe(thrown: unknown): string {
    try {
        if (typeof thrown === "object" && thrown !== null) return JSON.stringify(thrown) ?? "an object"
        return String(thrown)
    } catch {
        return "a value that cannot be described"
    }
}

/** Postgres holds no NUL characters and no halves of surrogate pairs. */
function clean(text: string): string {
    return text
        .slice(0, 4 * MAX_BYTES)
        .replaceAll("\u0000", "\ufffd")
        .toWellFormed()
}

/** Cuts a text so that its JSON form takes at most `maxBytes`. */
function cap(text: string, maxBytes: number): string {
    if (Buffer.byteLength(JSON.stringify(text)) <= maxBytes) return text
    let length = Math.min(text.length, maxBytes)
    while (length > 0 && Buffer.byteLength(JSON.stringify(text.slice(0, length))) > maxBytes - 4) {
        length = Math.floor(length * 0.9)
    }
    return `${text.slice(0, length).toWellFormed()}…`
}
