import { InvalidOptionError } from "./errors.ts"
import { toKey } from "./gate.ts"
import { keyText, oneOf, optionsWithin, positiveMs } from "./options.ts"
import type { KeyRule, UniqueRule } from "./unique-jobs.ts"

/** How long a job has its key. */
export type UniqueWhile = "queued" | "unfinalized" | { forMs: number }

/** Which jobs are the same, so that one of them is enough. */
export interface UniqueOptions<Payload extends object> {
    /**
     * What jobs have in common of which only one is wanted: a text of 1 to 255 characters, none of them a control character,
     * or a function of the payload that returns one. It is compared with those of the same definition, and stored as plain
     * text. When the function throws, or returns anything else, `defer` throws `InvalidPayloadError`.
     */
    key: string | ((payload: Payload) => string)
    /**
     * How long a job has its key. `"queued"`: until a worker takes it for the first time. `"unfinalized"`: until it is
     * finalized. `{ forMs }`: for so many milliseconds from when it was deferred, whatever becomes of it. Default
     * `"unfinalized"`.
     */
    while?: UniqueWhile
    /**
     * What a deferral does when another job has the key. `"keep"`: nothing. `"replace"`: the other job gets the payload, and
     * keeps its place and time. `"postpone"`: it gets the payload, and is due anew, as the deferral says. One that a worker
     * has taken already stays as it is. Default `"keep"`.
     */
    onConflict?: "keep" | "replace" | "postpone"
    /**
     * A job that is postponed is due at the latest so many milliseconds after it was first deferred. Only with `"postpone"`,
     * and not less than `delayMs`. Default `null`: no limit.
     */
    maxWaitMs?: number | null
}

/** The defaults of `UniqueOptions`. */
export const UNIQUE_DEFAULTS = Object.freeze({
    while: "unfinalized",
    onConflict: "keep",
    maxWaitMs: null,
} as const)

const OPTIONS = ["key", "while", "onConflict", "maxWaitMs"]

/** The options of a definition, checked. */
export function toUniqueRule(options: unknown): UniqueRule {
    return Object.freeze(ruleOf(options, undefined))
}

/** The key of a job: by its own options, in so far as it has some, and by those of its definition. */
export function toKeyRule(params: {
    payload: unknown
    options: unknown
    definition: { readonly name: string; readonly unique: UniqueRule | null }
}): KeyRule | null {
    const { payload, options, definition } = params
    if (options === null) return null
    const rule = options === undefined ? definition.unique : ruleOf(options, definition.unique ?? undefined)
    if (rule === null) return null
    const { key } = rule
    const text = typeof key === "string" ? key : toKey({ definition: definition.name, payload }, key)
    return { ...rule, key: text }
}

function ruleOf(value: unknown, inherited: UniqueRule | undefined): UniqueRule {
    const options = optionsWithin("unique", value, OPTIONS)
    const key =
        options.key === undefined && inherited !== undefined ? inherited.key : toKeyOption(options.key)
    const hold = options.while === undefined && inherited !== undefined ? inherited : toHold(options.while)
    const onConflict = oneOf(
        "unique.onConflict",
        options.onConflict ?? inherited?.onConflict ?? UNIQUE_DEFAULTS.onConflict,
        ["keep", "replace", "postpone"],
    )
    const { heldWhile, forMs } = hold
    return { key, heldWhile, forMs, onConflict, maxWaitMs: toMaxWaitMs({ options, inherited, onConflict }) }
}

function toKeyOption(value: unknown): UniqueRule["key"] {
    if (typeof value !== "function") return keyText("unique.key", value)
    // The function takes what `defer` demands of the payload.
    return Object.freeze({ option: "unique.key", keyOf: value as (payload: never) => unknown })
}

function toHold(value: unknown): Pick<UniqueRule, "heldWhile" | "forMs"> {
    const hold = value ?? UNIQUE_DEFAULTS.while
    if (typeof hold !== "object")
        return { heldWhile: oneOf("unique.while", hold, ["queued", "unfinalized"]), forMs: null }
    const { forMs } = optionsWithin("unique.while", hold, ["forMs"])
    return { heldWhile: "time", forMs: positiveMs("unique.while.forMs", forMs) }
}

function toMaxWaitMs(params: {
    options: Record<string, unknown>
    inherited: UniqueRule | undefined
    onConflict: KeyRule["onConflict"]
}): number | null {
    const { options, inherited, onConflict } = params
    const isPostponed = onConflict === "postpone"
    if (options.maxWaitMs === undefined) return isPostponed ? (inherited?.maxWaitMs ?? null) : null
    if (options.maxWaitMs === null) return null
    if (isPostponed) return positiveMs("unique.maxWaitMs", options.maxWaitMs)
    throw new InvalidOptionError({
        option: "unique.maxWaitMs",
        message: 'expected `unique.maxWaitMs` together with `onConflict: "postpone"`',
    })
}
