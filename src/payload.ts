import { InvalidPayloadError } from "./errors.ts"
import { messageOf } from "./thrown.ts"

/** Deeper nesting exhausts the stack of Postgres' JSON parser, or our own. */
const MAX_DEPTH = 500

/** What JSON can write but Postgres cannot compare or index: NUL characters and halves of surrogate pairs. */
const SUSPECT_ESCAPE = /\\u(?:0000|d[89a-f])/i

type Fault = { path: string; reason: string }

/**
 * Payload to JSON text, refused unless parsing that text gives the payload back: the handler then sees what the
 * caller gave. (`-0` arrives as `0`, which JSON does not tell apart.)
 */
export function encodePayload(params: { payload: unknown; definition: string; maxBytes: number }): string {
    const { payload, definition, maxBytes } = params
    let text: string
    try {
        const fault = findFault({ value: payload, path: "payload", ancestors: [], isSuspect: false })
        if (fault !== undefined) throw new InvalidPayloadError({ definition, ...fault })
        text = JSON.stringify(payload)
        // A proxy may answer otherwise when it is read again; from here on only the text counts.
        if (typeof text !== "string") throw new TypeError("the payload has no JSON form any more")
    } catch (cause) {
        if (cause instanceof InvalidPayloadError) throw cause
        // A getter or a proxy of the payload threw.
        throw new InvalidPayloadError({ definition, path: "payload", reason: "cannot be read", cause })
    }
    if (SUSPECT_ESCAPE.test(text)) {
        const fault = findFault({ value: JSON.parse(text), path: "payload", ancestors: [], isSuspect: true })
        if (fault !== undefined) throw new InvalidPayloadError({ definition, ...fault })
    }
    // No character takes more than three bytes a UTF-16 unit, so most payloads need no count.
    if (text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes) {
        const reason = `is ${Buffer.byteLength(text)} bytes of JSON, more than the ${maxBytes} that are allowed (Config option \`maxPayloadBytes\`)`
        throw new InvalidPayloadError({ definition, path: "payload", reason })
    }
    return text
}

/** A result that another thread has made JSON text of, or could not. */
export class EncodedResult {
    readonly encoded: { text: string | null } | { reason: string }

    constructor(encoded: { text: string | null } | { reason: string }) {
        this.encoded = encoded
    }
}

/** The result of a handler as JSON text, as `JSON.stringify` has it; or why it cannot be kept. */
export function encodeResult(
    result: unknown,
    maxBytes: number,
): { text: string | null } | { reason: string } {
    if (result === undefined) return { text: null }
    try {
        const encoded = result instanceof EncodedResult ? result.encoded : toText(result)
        if ("reason" in encoded || encoded.text === null) return encoded
        const { text } = encoded
        if (
            SUSPECT_ESCAPE.test(text) &&
            findFault({ value: JSON.parse(text), path: "result", ancestors: [], isSuspect: true })
        ) {
            return { reason: "it contains a NUL character or a lone surrogate" }
        }
        if (text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes) {
            return { reason: `it is larger than ${maxBytes} bytes` }
        }
        return { text }
    } catch (error) {
        // Whatever a toJSON throws may throw in its turn when it is read, and the job must be settled all the same.
        return { reason: messageOf(error) }
    }
}

function toText(result: unknown): { text: string } | { reason: string } {
    const text: string | undefined = JSON.stringify(result)
    return text === undefined ? { reason: `a ${typeof result} has no JSON form` } : { text }
}

interface Place {
    value: unknown
    path: string
    ancestors: unknown[]
    /** Whether to look into strings and keys. */
    isSuspect: boolean
}

function findFault(place: Place): Fault | undefined {
    const { value, path } = place
    switch (typeof value) {
        case "boolean":
            return undefined
        case "string":
            return place.isSuspect ? findTextFault(value, path) : undefined
        case "number":
            return Number.isFinite(value)
                ? undefined
                : { path, reason: `is ${value}, which JSON has no form for` }
        case "object":
            return value === null ? undefined : findObjectFault({ ...place, value })
        case "undefined":
            return { path, reason: "is undefined, which JSON has no form for: leave it out, or use null" }
        default:
            return { path, reason: `is a ${typeof value}, which JSON has no form for` }
    }
}

function findTextFault(text: string, path: string): Fault | undefined {
    if (text.includes("\u0000"))
        return { path, reason: "contains a NUL character, which Postgres cannot hold" }
    if (!text.isWellFormed()) return { path, reason: "contains a lone surrogate, which Postgres cannot hold" }
    return undefined
}

function findObjectFault(place: Place & { value: object }): Fault | undefined {
    const { value, path, ancestors, isSuspect } = place
    if (ancestors.includes(value)) return { path, reason: "refers back to an object that contains it" }
    if (ancestors.length === MAX_DEPTH)
        return { path: "payload", reason: `is nested deeper than ${MAX_DEPTH} levels` }
    ancestors.push(value)
    const fault =
        findClassFault(value, path) ??
        (Array.isArray(value)
            ? findItemFault({ ...place, value })
            : findPropertyFault({ value, path, ancestors, isSuspect }))
    ancestors.pop()
    return fault
}

function findItemFault({
    value,
    path,
    ancestors,
    isSuspect,
}: Place & { value: unknown[] }): Fault | undefined {
    for (let index = 0; index < value.length; index++) {
        const item = value[index]
        if (isPlain(item, isSuspect)) continue
        const fault = findFault({ value: item, path: `${path}[${index}]`, ancestors, isSuspect })
        if (fault !== undefined) return fault
    }
    return undefined
}

function findPropertyFault({
    value,
    path,
    ancestors,
    isSuspect,
}: Place & { value: object }): Fault | undefined {
    for (const key of Object.keys(value)) {
        const item: unknown = (value as Record<string, unknown>)[key]
        if (isPlain(item, isSuspect)) continue
        const fault = findFault({ value: item, path: propertyPath(path, key), ancestors, isSuspect })
        if (fault !== undefined) return fault
    }
    if (!isSuspect) return undefined
    for (const key of Object.keys(value)) {
        const fault = findTextFault(key, `a key of ${path}`)
        if (fault !== undefined) return fault
    }
    return undefined
}

/** What needs no path built for it: most of most payloads. */
function isPlain(value: unknown, isSuspect: boolean): boolean {
    return typeof value === "boolean" || value === null || (typeof value === "string" && !isSuspect)
}

function findClassFault(value: object, path: string): Fault | undefined {
    if (typeof (value as { toJSON?: unknown }).toJSON === "function") {
        const hint = value instanceof Date ? ": use its toISOString()" : ""
        return { path, reason: `is a ${classOf(value)}, which arrives as something else${hint}` }
    }
    if (Array.isArray(value)) return undefined
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null)
        return undefined
    return { path, reason: `is a ${classOf(value)}, which JSON has no form for` }
}

function classOf(value: object): string {
    const name: unknown = value.constructor?.name
    return typeof name === "string" && name !== "" ? name : "class instance"
}

function propertyPath(path: string, key: string): string {
    return /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`
}
