import { durationMs } from "./options.ts"
import type { RegisteredJob } from "./registry.ts"
import { defaultRetryDelayMs } from "./retry.ts"

/** How long to wait before the next attempt: milliseconds, or a function of the attempt that failed. */
export type RetryDelay = number | ((params: { attempt: number; error: unknown }) => number)

/** What a definition waits before its next attempt. */
export function toRetryDelay(option: RetryDelay | undefined): RegisteredJob["retryDelayMs"] {
    if (option === undefined) return ({ attempt }) => defaultRetryDelayMs({ attempt, random: Math.random() })
    if (typeof option === "function") return (params) => durationMs("retryDelayMs", option(params))
    const delayMs = durationMs("retryDelayMs", option)
    return () => delayMs
}
