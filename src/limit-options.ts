import { InvalidOptionError } from "./errors.ts"
import type { ConcurrencyRule, Gate, KeyFunction, RateRule } from "./gate.ts"
import { callable, optionsWithin, positiveMs, positiveNumber, trueOrFalse } from "./options.ts"

/** How many jobs of a definition may run at the same time. */
export interface ConcurrencyLimit<Payload extends object> {
    /** The most jobs that run at the same time, over all workers and processes. A whole number from 1 to 100,000. */
    max: number
    /**
     * If given, `max` counts for the jobs of each key by itself: the key is what this returns for a job's payload. It is
     * called when the job is deferred, and must return the same for the same payload: a text of 1 to 255 characters,
     * none of them a control character. When it throws, or returns anything else, `defer` throws `InvalidPayloadError`.
     */
    key?: (payload: Payload) => string
}

/** How many jobs of a definition may be taken from the queue within a time. */
export interface RateLimit<Payload extends object> {
    /**
     * The most jobs that are taken from the queue within any `perMs`, over all workers and processes; with `weight`, the
     * most that they may weigh together. A whole number from 1 to 1,000,000.
     */
    max: number
    /** The length of the window in milliseconds. It slides: there is no edge at which twice as many could be taken. */
    perMs: number
    /** If given, `max` counts for the jobs of each key by itself. What holds for `key` of `concurrencyLimit` holds here. */
    key?: (payload: Payload) => string
    /**
     * How much of `max` a job counts for: a whole number from 1 to `max`, or a function of the payload that returns one
     * and is called when the job is deferred. Default 1.
     */
    weight?: number | ((payload: Payload) => number)
}

/** Which jobs of a definition belong together. */
export interface JobGroup<Payload extends object> {
    /**
     * What the jobs of a group have in common, such as a customer. Groups take turns, so that a large one does not hold
     * up a small one. What holds for `key` of `concurrencyLimit` holds here.
     */
    key: (payload: Payload) => string
    /**
     * Whether the jobs of a group run one after the other, in the order in which they became ready, each when the one
     * before is finalized: while that waits for its next attempt, its group waits. Not together with `priority`.
     * Default `false`.
     */
    ordered?: boolean
}

/** The options of a definition that hold its jobs back. */
interface LimitOptions {
    concurrencyLimit?: unknown
    rateLimit?: unknown
    group?: unknown
    releaseIntervalMs?: unknown
    priority?: unknown
}

const MAX_RUNNING = 100_000
const MAX_RELEASED = 1_000_000

/** Checks the options that hold jobs back. Null where none does. */
export function toGate(options: LimitOptions): Gate | null {
    const { concurrencyLimit = null, rateLimit = null, group = null, releaseIntervalMs = 0 } = options
    const concurrency = concurrencyLimit === null ? null : toConcurrency(concurrencyLimit)
    const rate = rateLimit === null ? null : toRate(rateLimit)
    const order = group === null ? null : toOrder(group)
    const given = Object.entries({ concurrencyLimit, rateLimit, group }).find(([, value]) => value !== null)
    if (given === undefined) return null
    if (releaseIntervalMs !== 0) {
        const [option] = given
        const message = `expected \`${option}\` or \`releaseIntervalMs\`, got both; see \`rateLimit\``
        throw new InvalidOptionError({ option, message })
    }
    if (order?.isOrdered && options.priority !== undefined) refuseInOrder()
    return Object.freeze({
        concurrency: concurrency?.rule ?? null,
        rate: rate?.rule ?? null,
        isOrdered: order?.isOrdered ?? false,
        keys: Object.freeze({ ...concurrency?.keys, ...rate?.keys, ...order?.keys }),
    })
}

/** A priority would take jobs out of the order that was asked for. */
export function refuseInOrder(): never {
    const message =
        "expected no `priority` where `group.ordered` is true: jobs start in the order in which they became ready"
    throw new InvalidOptionError({ option: "priority", message })
}

function toConcurrency(value: unknown): { rule: ConcurrencyRule; keys: Gate["keys"] } {
    const { max, key } = optionsWithin("concurrencyLimit", value, ["max", "key"])
    const rule = { max: positiveNumber("concurrencyLimit.max", max, MAX_RUNNING), isKeyed: key !== undefined }
    const keys = key === undefined ? {} : { concurrency: toFunction("concurrencyLimit.key", key) }
    return { rule: Object.freeze(rule), keys }
}

function toRate(value: unknown): { rule: RateRule; keys: Gate["keys"] } {
    const {
        max,
        perMs,
        key,
        weight = 1,
    } = optionsWithin("rateLimit", value, ["max", "perMs", "key", "weight"])
    const maxWeight = positiveNumber("rateLimit.max", max, MAX_RELEASED)
    const rule: RateRule = {
        max: maxWeight,
        perMs: positiveMs("rateLimit.perMs", perMs),
        isKeyed: key !== undefined,
        weight:
            typeof weight === "function"
                ? toFunction("rateLimit.weight", weight)
                : positiveNumber("rateLimit.weight", weight, maxWeight),
    }
    const keys = key === undefined ? {} : { rate: toFunction("rateLimit.key", key) }
    return { rule: Object.freeze(rule), keys }
}

function toOrder(value: unknown): { isOrdered: boolean; keys: Gate["keys"] } {
    const { key, ordered = false } = optionsWithin("group", value, ["key", "ordered"])
    const keys = { group: toFunction("group.key", key) }
    return { isOrdered: trueOrFalse("group.ordered", ordered), keys }
}

function toFunction(option: string, value: unknown): KeyFunction {
    return Object.freeze({ option, keyOf: callable(option, value) as KeyFunction["keyOf"] })
}
