import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { defaultRetryDelayMs } from "./retry.ts"

describe("defaultRetryDelayMs", () => {
    it("doubles its bound with every attempt, from one second to ten minutes", () => {
        const bounds = [1, 2, 3, 4, 10, 11, 12, 1_000_000].map((attempt) =>
            defaultRetryDelayMs({ attempt, random: 1 }),
        )
        expect(bounds).toEqual([1_000, 2_000, 4_000, 8_000, 512_000, 600_000, 600_000, 600_000])
    })

    it("spreads over the whole interval", () => {
        expect(defaultRetryDelayMs({ attempt: 3, random: 0 })).toBe(0)
        expect(defaultRetryDelayMs({ attempt: 3, random: 0.25 })).toBe(1_000)
    })

    it("is a duration for every attempt (property)", () => {
        fc.assert(
            fc.property(fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
                const delayMs = defaultRetryDelayMs({ attempt, random })
                expect(delayMs >= 0 && delayMs <= 600_000).toBe(true)
            }),
        )
    })
})
