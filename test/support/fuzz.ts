import fc from "fast-check"
import { inject } from "vitest"

/** How a property is tried. */
interface FuzzOptions {
    /** Runs for each one of `CUCKMQ_FUZZ_RUNS`: cheap properties take many. Default 1. */
    weight?: number
    /** How long one run may take before it counts as hanging. Default 60,000. */
    hangsAfterMs?: number
}

/** How long to look for a smaller counterexample. */
const MAX_SHRINKING_MS = 120_000

/**
 * Looks for a counterexample, from the seed that was printed when the tests began. What it throws has the seed and
 * the smallest counterexample found.
 */
export async function fuzz<Values extends [unknown, ...unknown[]]>(
    arbitraries: { [Index in keyof Values]: fc.Arbitrary<Values[Index]> },
    predicate: (...values: Values) => Promise<unknown>,
    options: FuzzOptions = {},
): Promise<void> {
    const { weight = 1, hangsAfterMs = 60_000 } = options
    let failedAtMs = Number.POSITIVE_INFINITY
    const tried = async (...values: Values): Promise<void> => {
        // Time is up: what is smaller passes for good, so that the smallest so far is reported.
        if (performance.now() - failedAtMs > MAX_SHRINKING_MS) return
        try {
            await predicate(...values)
        } catch (error) {
            failedAtMs = Math.min(failedAtMs, performance.now())
            throw error
        }
    }
    await fc.assert(fc.asyncProperty(...arbitraries, tried), {
        seed: inject("fuzzSeed"),
        numRuns: Math.max(1, Math.round(inject("fuzzRuns") * weight)),
        timeout: hangsAfterMs,
        includeErrorInReport: false,
    })
}
