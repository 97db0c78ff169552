import { describe, expect, it } from "vitest"
import { type ThroughputOptions, toThroughputQuery } from "./throughput-options.ts"

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

function ago(ms: number): Date {
    return new Date(Date.now() - ms)
}

function refused(options: unknown): unknown {
    try {
        return toThroughputQuery(options as ThroughputOptions)
    } catch (error) {
        return (error as { option?: string }).option
    }
}

describe("what throughput is asked for", () => {
    const valid = { from: ago(HOUR_MS), until: new Date(), stepMs: MINUTE_MS }

    it("is widened to whole steps", () => {
        const from = new Date(Date.now() - (Date.now() % HOUR_MS) - HOUR_MS + 1)
        const until = new Date(from.getTime() + MINUTE_MS)
        const start = from.getTime() - 1
        expect(toThroughputQuery({ from, until, stepMs: MINUTE_MS })).toEqual({
            definition: null,
            channel: null,
            fromMs: start,
            untilMs: start + 2 * MINUTE_MS,
            stepMs: MINUTE_MS,
        })
        const hours = { definition: "mail", channel: "slow", from, until, stepMs: HOUR_MS }
        expect(toThroughputQuery(hours)).toMatchObject({
            definition: "mail",
            channel: "slow",
            fromMs: start,
            untilMs: start + HOUR_MS,
        })
    })

    it("may be a day by the minute, and a month by the hour", () => {
        const day = { ...valid, from: ago(24 * HOUR_MS) }
        expect(toThroughputQuery(day)).toMatchObject({ stepMs: MINUTE_MS })
        expect(refused({ ...day, from: ago(26 * HOUR_MS) })).toBe("stepMs")
        expect(refused({ ...day, from: ago(26 * HOUR_MS), stepMs: 90 * MINUTE_MS })).toBe("stepMs")
        const month = { ...valid, from: ago(30 * 24 * HOUR_MS), stepMs: HOUR_MS }
        expect(toThroughputQuery(month)).toMatchObject({ stepMs: HOUR_MS })
    })

    it("is refused where it makes no sense, by the name of the option", () => {
        expect(refused({ ...valid, stepMS: 1 })).toBe("stepMS")
        for (const from of [undefined, null, "2026-01-01", Date.now(), new Date(Number.NaN)])
            expect(refused({ ...valid, from })).toBe("from")
        expect(refused({ ...valid, until: "now" })).toBe("until")
        expect(refused({ ...valid, until: valid.from })).toBe("until")
        expect(refused({ ...valid, until: ago(2 * HOUR_MS) })).toBe("until")
        for (const stepMs of [undefined, null, "60000", 0, -MINUTE_MS, 59_999, 90_000, Number.NaN, Infinity])
            expect(refused({ ...valid, stepMs })).toBe("stepMs")
        expect(refused({ from: ago(2_100 * HOUR_MS), until: new Date(), stepMs: HOUR_MS })).toBe("stepMs")
        expect(refused({ ...valid, definition: "" })).toBe("definition")
        expect(refused({ ...valid, channel: 5 })).toBe("channel")
        expect(refused(undefined)).not.toMatchObject({ stepMs: MINUTE_MS })
    })
})
