import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { BOUNDS_MS, bucketOf, NUM_BUCKETS, numIn, quantileMs } from "./histogram.ts"

function countsOf(durations: readonly number[]): number[] {
    const counts = Array.from({ length: NUM_BUCKETS }, () => 0)
    for (const ms of durations) counts[bucketOf(ms)] = (counts[bucketOf(ms)] ?? 0) + 1
    return counts
}

describe("a histogram", () => {
    it("has bounds from a millisecond to more than an hour, a root of two apart", () => {
        expect(BOUNDS_MS[0]).toBe(1)
        expect(BOUNDS_MS[2]).toBe(2)
        expect(BOUNDS_MS[20]).toBe(1_024)
        expect(BOUNDS_MS.at(-1)).toBe(2 ** 22)
        expect(BOUNDS_MS.at(-1)).toBeGreaterThan(60 * 60_000)
    })

    it("puts a duration into the first bucket whose bound it does not exceed", () => {
        expect([-5, 0, 0.4, 1, Number.NaN].map(bucketOf)).toEqual([0, 0, 0, 0, 0])
        expect([1.1, 1.5, 2, 2.1, 1_024].map(bucketOf)).toEqual([1, 2, 2, 3, 20])
        expect([2 ** 22, 2 ** 22 + 1, Number.POSITIVE_INFINITY].map(bucketOf)).toEqual([44, 45, 45])
        const ms = fc.double({ min: 1.001, max: 2 ** 22 - 1, noNaN: true })
        fc.assert(
            fc.property(ms, (duration) => {
                const bucket = bucketOf(duration)
                const isWithin = (bound = 0, factor = 1) => duration <= bound * factor
                // A bound that is no whole number may be off by the last digit.
                expect(isWithin(BOUNDS_MS[bucket], 1 + 1e-12)).toBe(true)
                expect(isWithin(BOUNDS_MS[bucket - 1], 1 - 1e-12)).toBe(false)
            }),
        )
    })

    it("tells quantiles that are off by a factor of the root of two at the most", () => {
        const durations = fc.array(fc.double({ min: 1, max: 2 ** 22, noNaN: true }), { minLength: 1 })
        fc.assert(
            fc.property(durations, fc.constantFrom(0.5, 0.95, 0.99), (list, share) => {
                const sorted = [...list].sort((a, b) => a - b)
                const exact = sorted[Math.max(Math.ceil(share * list.length) - 1, 0)] ?? 0
                const estimate = quantileMs({ counts: countsOf(list) }, share) ?? 0
                const factor = Math.max(exact / estimate, estimate / exact)
                // What is no longer than a millisecond is spread evenly from zero.
                if (exact > 1) expect(factor).toBeLessThanOrEqual(Math.SQRT2 + 1e-9)
            }),
        )
    })

    it("interpolates within a bucket, and ends at the largest bound", () => {
        expect(quantileMs({ counts: [] }, 0.5)).toBeNull()
        expect(quantileMs({ counts: [0, 0] }, 0.5)).toBeNull()
        expect(quantileMs({ counts: [4] }, 0.5)).toBe(0.5)
        expect(quantileMs({ counts: [0, 0, 0, 0, 10] }, 0.5)).toBeCloseTo(2 ** 1.75)
        expect(quantileMs({ counts: [0, 5, 0, 5] }, 0.5)).toBeCloseTo(2 ** 0.5)
        expect(quantileMs({ counts: countsOf([10 ** 9]) }, 0.99)).toBe(2 ** 22)
    })

    it("counts what is in it", () => {
        expect(numIn({ counts: [] })).toBe(0)
        expect(numIn({ counts: [1, 0, 41] })).toBe(42)
    })
})
