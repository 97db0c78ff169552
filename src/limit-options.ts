import { InvalidOptionError } from "./errors.ts"
import type { ConcurrencyRule, Gate, KeyFunction } from "./gate.ts"
import { callable, optionsWithin, positiveNumber } from "./options.ts"

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

/** The options of a definition that hold its jobs back. */
interface LimitOptions {
    concurrencyLimit?: unknown
    releaseIntervalMs?: unknown
}

const MAX_RUNNING = 100_000

/** Checks the options that hold jobs back. Null where none does. */
export function toGate({ concurrencyLimit = null, releaseIntervalMs = 0 }: LimitOptions): Gate | null {
    if (concurrencyLimit === null) return null
    const limit = optionsWithin("concurrencyLimit", concurrencyLimit, ["max", "key"])
    const max = positiveNumber("concurrencyLimit.max", limit.max, MAX_RUNNING)
    const concurrency: ConcurrencyRule = Object.freeze({ max, isKeyed: limit.key !== undefined })
    const keys = limit.key === undefined ? {} : { concurrency: toKey("concurrencyLimit.key", limit.key) }
    if (releaseIntervalMs !== 0) {
        throw new InvalidOptionError({
            option: "concurrencyLimit",
            message: "expected `concurrencyLimit` or `releaseIntervalMs`, got both",
        })
    }
    return Object.freeze({ concurrency, keys: Object.freeze(keys) })
}

function toKey(option: string, value: unknown): KeyFunction {
    return Object.freeze({ option, keyOf: callable(option, value) as KeyFunction["keyOf"] })
}
