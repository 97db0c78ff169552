import { FAILURE_REASONS, type FailureReason } from "./events.ts"
import { instant, nameText, numberWithin, oneOf, someText } from "./options.ts"
import type { LetterFilter } from "./statements/dead-letters.ts"

/** Which dead letters. What is left out does not matter. */
export interface DeadLetterFilter {
    /** The name of the definition. */
    definition?: string
    /** Why the jobs failed. */
    reason?: FailureReason
    /** Those that failed at this instant or later. */
    failedAfter?: Date
    /** Those that failed before this instant. */
    failedBefore?: Date
    /** A part of the message of the last attempt's error, in the same letters. */
    errorText?: string
}

/** Which dead letters to read. */
export interface DeadLettersOptions extends DeadLetterFilter {
    /** How many at the most: 1 to 1,000. Default 100. */
    limit?: number
    /** Where to go on: `next` of the page before. Default: at the newest. */
    after?: string
}

/** Which dead letters to replay, and how fast. */
export interface ReplayManyOptions extends DeadLetterFilter {
    /**
     * How many jobs of each definition become due in a second: 0.001 to 1,000,000. Holds over all calls that
     * give one, and without this process. Default: all at once.
     */
    ratePerSecond?: number
    /** How many at the most. Default: all. */
    limit?: number
}

/** The options that say which. */
export const FILTERS = ["definition", "reason", "failedAfter", "failedBefore", "errorText"]

const MIN_RATE = 0.001
const MAX_RATE = 1_000_000

/** How many jobs of each definition become due in a second. */
export function replayRate(value: unknown): number {
    return numberWithin("ratePerSecond", value, { min: MIN_RATE, max: MAX_RATE })
}

/** Checks which dead letters are asked for. */
export function toFilter(options: DeadLetterFilter): LetterFilter {
    const { definition, reason, failedAfter, failedBefore, errorText } = options
    return {
        definition: definition === undefined ? null : nameText("definition", definition),
        reasons: reason === undefined ? null : [oneOf("reason", reason, FAILURE_REASONS)],
        failedAfterMs: failedAfter === undefined ? null : instant("failedAfter", failedAfter).getTime(),
        failedBeforeMs: failedBefore === undefined ? null : instant("failedBefore", failedBefore).getTime(),
        errorText: errorText === undefined ? null : someText("errorText", errorText),
    }
}
