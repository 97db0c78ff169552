/** The delay before the first retry, and the unit that doubles. */
const BASE_MS = 1_000
const CAP_MS = 10 * 60_000

/**
 * How long to wait after a failed attempt: exponential from one second with full jitter, at most ten minutes. Full
 * jitter spreads the retries of jobs that failed together over the whole interval.
 */
export function defaultRetryDelayMs(params: { attempt: number; random: number }): number {
    const exponent = Math.min(Math.max(params.attempt - 1, 0), 30)
    return params.random * Math.min(CAP_MS, BASE_MS * 2 ** exponent)
}

/**
 * How long to wait as a definition says. A function of the user may throw or answer nonsense; the job is retried all the
 * same.
 */
export function retryDelayAfter(params: {
    attempt: number
    error: unknown
    retryDelayMs(params: { attempt: number; error: unknown }): number
    onError(cause: unknown): void
}): number {
    const { attempt, error } = params
    try {
        return params.retryDelayMs({ attempt, error })
    } catch (cause) {
        params.onError(cause)
        return defaultRetryDelayMs({ attempt, random: Math.random() })
    }
}

/** Also known where two copies of cuckmq are loaded, one by `import` and one by `require`. */
export const UNRETRYABLE: unique symbol = Symbol.for("cuckmq.unretryable")

/**
 * For job functions to throw: the attempt has failed, and so would every other, so the job is finalized as failed now,
 * whatever attempts are left. Of an error that you caught, make it the `cause`.
 */
export class Unretryable extends Error {
    constructor(message?: string, options?: ErrorOptions) {
        super(message, options)
        this.name = "Unretryable"
        Object.defineProperty(this, UNRETRYABLE, { value: true })
    }
}

/** Whether what was thrown says that no other attempt would help. */
export function isUnretryable(thrown: unknown): boolean {
    try {
        return typeof thrown === "object" && thrown !== null && UNRETRYABLE in thrown
    } catch {
        return false
    }
}
