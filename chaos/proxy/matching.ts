import type { Outcome } from "./exchange.ts"

/** Whose answer is to be lost. */
export type Matching = "commit" | "claim" | "settle" | "insert" | "any"

/** Our statements have names. Those of other queues are known by what they do. */
const OURS = {
    claim: /-- cuckmq: claim-(limited-)?jobs\b/,
    settle: /-- cuckmq: (finalize-|retry-jobs|snooze-jobs|return-jobs)/,
    insert: /-- cuckmq: insert-/,
} as const

const THEIRS = {
    claim: /skip\s+locked/i,
    settle: /\b(delete\s+from|update)\s+\S*job\w*(?!.*skip\s+locked)|\bexecute\s+gw[cf]j\b/is,
    insert: /\binsert\s+into\s+\S*job\w*|\badd_jobs?\s*\(|\bcreate_jobs?\s*\(/is,
} as const

/** Whether an answered cycle is one whose answer is to be lost. A refusal is never: it did nothing. */
export function matches(matching: Matching, outcome: Outcome): boolean {
    if (outcome.hasFailed) return false
    if (matching === "commit") return outcome.hasCommitted
    if (matching === "any") return outcome.cycle.texts.length > 0
    return outcome.cycle.texts.some((text) => isA(matching, text))
}

/** Whether the answer to it must be kept back until its end, because it may be one to lose. */
export function mayMatch(matching: Matching, texts: readonly string[]): boolean {
    return matching === "commit" || matching === "any" || texts.some((text) => isA(matching, text))
}

function isA(matching: "claim" | "settle" | "insert", text: string): boolean {
    return text.includes("-- cuckmq: ") ? OURS[matching].test(text) : THEIRS[matching].test(text)
}
