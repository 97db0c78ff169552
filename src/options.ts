import { InvalidOptionError } from "./errors.ts"

/** The longest duration that any option takes: 100 years. Beyond it, timestamps overflow. */
const MAX_DURATION_MS = 100 * 365.25 * 24 * 60 * 60_000

const NAME_MAX_LENGTH = 255
const REASON_MAX_LENGTH = 1_000

/** Throws what says that an option is not what it should be; of what it is, only as much as is no secret. */
export function refuse(option: string, expected: string, got: unknown): never {
    throw new InvalidOptionError({
        option,
        message: `expected \`${option}\` to be ${expected}, got: ${show(got)}`,
    })
}

function show(value: unknown): string {
    if (typeof value === "string") return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
    if (typeof value === "object" && value !== null) return isList(value) ? "an array" : "an object"
    if (typeof value === "function") return "a function"
    return String(value)
}

/** Of a proxy that was revoked, even this cannot be asked. */
function isList(value: unknown): value is unknown[] {
    try {
        return Array.isArray(value)
    } catch {
        return false
    }
}

/** Refuses options that are no object, or that have a name which `known` lacks. */
export function knownOptions(owner: string, options: unknown, known: readonly string[]): void {
    for (const name of namesOf(options) ?? refuse(owner, "called with one options object", options)) {
        if (known.includes(name)) continue
        throw new InvalidOptionError({
            option: name,
            message: `${owner} has no option \`${name}\`; it has: ${known.join(", ")}`,
        })
    }
}

/** A copy of an option that is an object itself: refuses what is none, and names that `known` lacks. */
export function optionsWithin(
    option: string,
    value: unknown,
    known: readonly string[],
): Record<string, unknown> {
    const expected = `an object with ${known.map((name) => `\`${name}\``).join(", ")}`
    for (const name of namesOf(value) ?? refuse(option, expected, value)) {
        if (known.includes(name)) continue
        throw new InvalidOptionError({
            option: `${option}.${name}`,
            message: `\`${option}\` has no option \`${name}\`; it has: ${known.join(", ")}`,
        })
    }
    try {
        return { ...(value as Record<string, unknown>) }
    } catch {
        return refuse(option, expected, value)
    }
}

function namesOf(options: unknown): string[] | undefined {
    if (typeof options !== "object" || options === null || isList(options)) return undefined
    try {
        return Object.keys(options)
    } catch {
        return undefined
    }
}

/** A duration that may be zero. */
export function durationMs(option: string, value: unknown): number {
    if (typeof value !== "number" || !(value >= 0) || value > MAX_DURATION_MS) {
        refuse(option, "a number of milliseconds, zero or more and at most 100 years", value)
    }
    return value
}

/** A duration above zero. */
export function positiveMs(option: string, value: unknown): number {
    if (typeof value !== "number" || !(value > 0) || value > MAX_DURATION_MS) {
        refuse(option, "a positive number of milliseconds, at most 100 years", value)
    }
    return value
}

/** A whole number from `min` to `max`. */
export function wholeNumber(option: string, value: unknown, max: number, min = 0): number {
    if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
        refuse(option, `a whole number from ${min} to ${max}`, value)
    }
    return value
}

/** A whole number from one to `max`. */
export function positiveNumber(option: string, value: unknown, max: number): number {
    if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > max) {
        refuse(option, `a whole number from 1 to ${max}`, value)
    }
    return value
}

/** The largest priority; the smallest is as far below zero. */
const MAX_PRIORITY = 1_000

/** The priority of a job. */
export function jobPriority(option: string, value: unknown): number {
    if (typeof value !== "number" || !Number.isInteger(value) || Math.abs(value) > MAX_PRIORITY) {
        refuse(option, `a whole number from -${MAX_PRIORITY} to ${MAX_PRIORITY}`, value)
    }
    return value
}

/** A number from `min` to `max`. */
export function numberWithin(
    option: string,
    value: unknown,
    { min, max }: { min: number; max: number },
): number {
    if (typeof value !== "number" || !(value >= min) || value > max)
        refuse(option, `a number from ${min} to ${max}`, value)
    return value
}

/** A text that is not empty, and that Postgres can hold. */
export function someText(option: string, value: unknown): string {
    if (typeof value !== "string" || value === "" || value.includes("\u0000") || !value.isWellFormed())
        refuse(option, "a text that is not empty, without NUL characters and lone surrogates", value)
    return value
}

/** `true` or `false`, and nothing that is only taken for it. */
export function trueOrFalse(option: string, value: unknown): boolean {
    if (typeof value !== "boolean") refuse(option, "true or false", value)
    return value
}

/** One of a few texts. */
export function oneOf<Text extends string>(option: string, value: unknown, texts: readonly Text[]): Text {
    const found = texts.find((text) => text === value)
    return found ?? refuse(option, `one of ${texts.map((text) => JSON.stringify(text)).join(", ")}`, value)
}

/** A number, however small. */
export function numberUpTo(option: string, value: unknown, max: number): number {
    if (typeof value !== "number" || Number.isNaN(value) || value > max)
        refuse(option, `a number of at most ${max}`, value)
    return value
}

/** A name that Postgres can hold and that people can tell apart: 1 to 255 characters, no NUL. */
export function nameText(option: string, value: unknown): string {
    if (typeof value !== "string" || value.trim() === "" || value.length > NAME_MAX_LENGTH) {
        refuse(option, `a text of 1 to ${NAME_MAX_LENGTH} characters that is not blank`, value)
    }
    if (value.includes("\u0000") || !value.isWellFormed()) {
        refuse(option, "a text without NUL characters and lone surrogates", value)
    }
    return value
}

/** What `isKey` demands. */
export const KEY_RULE = `a text of 1 to ${NAME_MAX_LENGTH} characters, none of them a control character`

/** Whether a value is a key that jobs may share: a text of 1 to 255 characters that Postgres can hold and compare. */
export function isKey(value: unknown): value is string {
    if (typeof value !== "string" || value === "" || value.length > NAME_MAX_LENGTH) return false
    return !/\p{Cc}/u.test(value) && value.isWellFormed()
}

/** A text for people to read: 1 to 1,000 characters, no NUL. */
export function reasonText(option: string, value: unknown): string {
    if (typeof value !== "string" || value.trim() === "" || value.length > REASON_MAX_LENGTH)
        refuse(option, `a text of 1 to ${REASON_MAX_LENGTH} characters that is not blank`, value)
    if (value.includes("\u0000") || !value.isWellFormed())
        refuse(option, "a text without NUL characters and lone surrogates", value)
    return value
}

/** A key that jobs may share. */
export function keyText(option: string, value: unknown): string {
    return isKey(value) ? value : refuse(option, KEY_RULE, value)
}

/** The path of a folder. */
export function folderPath(option: string, value: unknown): string {
    if (typeof value !== "string" || value.trim() === "" || value.includes("\u0000")) {
        refuse(option, "the path of a folder", value)
    }
    if (/^[a-z][a-z+.-]+:\/\//i.test(value)) refuse(option, "the path of a folder, not a URL", value)
    return value
}

/** Whether a value is an object with these methods. One that cannot be looked at has none. */
export function hasMethods(value: unknown, names: readonly string[]): boolean {
    if (typeof value !== "object" || value === null) return false
    try {
        return names.every((name) => typeof (value as Record<string, unknown>)[name] === "function")
    } catch {
        return false
    }
}

/** A function. */
export function callable<F>(option: string, value: F): F {
    if (typeof value !== "function") refuse(option, "a function", value)
    return value
}

/** An instant. */
export function instant(option: string, value: unknown): Date {
    const time = timeOf(value)
    if (Number.isNaN(time)) refuse(option, "a valid Date", value)
    if (Math.abs(time - Date.now()) > MAX_DURATION_MS)
        refuse(option, "a Date within 100 years", new Date(time).toISOString())
    return new Date(time)
}

/** What a Date holds, whatever its methods say. Objects that only pass for a Date hold nothing. */
function timeOf(value: unknown): number {
    try {
        return Date.prototype.getTime.call(value)
    } catch {
        return Number.NaN
    }
}

/** A copy, since a list may be a proxy too. */
function itemsOf(list: readonly unknown[], onFault: () => never): unknown[] {
    try {
        return Array.from(list)
    } catch {
        return onFault()
    }
}

/** A list, each item of which has passed a check; a hole is an item that is undefined. */
export function listOf<Item>(params: {
    option: string
    expected: string
    value: unknown
    check: (option: string, item: unknown) => Item
}): Item[] {
    const { option, expected, value, check } = params
    if (!isList(value)) refuse(option, expected, value)
    return itemsOf(value, () => refuse(option, expected, value)).map((item) => check(option, item))
}

/** The id of a job. */
export function jobID(option: string, value: unknown): number {
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1) {
        refuse(option, "the id of a job, as `defer` returned it", value)
    }
    return value
}
