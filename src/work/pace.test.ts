import { describe, expect, it } from "vitest"
import { Pace } from "./pace.ts"

/** What a worker claims ahead after many rounds of claiming, running all that was claimed, and waiting. */
function aheadAfter(params: {
    concurrency: number
    /** How long one handler takes. */
    jobMs: number
    /** How long a claim takes, while nothing runs. */
    claimMs?: number
    /** How many jobs a claim finds at the most. */
    maxClaimed?: number
    numRounds?: number
}): number {
    const { concurrency, jobMs, claimMs = 5, maxClaimed = 10_000, numRounds = 50 } = params
    const pace = new Pace(concurrency)
    let nowMs = 0
    let ahead = pace.ahead(nowMs)
    for (let round = 0; round < numRounds; round++) {
        nowMs += claimMs
        const numClaimed = Math.min(concurrency + ahead, maxClaimed)
        for (let left = numClaimed; left > 0; left -= concurrency) {
            const num = Math.min(left, concurrency)
            for (let n = 0; n < num; n++) pace.started(nowMs)
            nowMs += jobMs
            for (let n = 0; n < num; n++) pace.ended(nowMs)
        }
        ahead = pace.ahead(nowMs)
    }
    return ahead
}

describe("Pace", () => {
    it("claims nothing ahead before it has measured", () => {
        expect(new Pace(1).ahead(0)).toBe(0)
    })

    it("claims nothing ahead of jobs that take longer than 20 ms", () => {
        expect(aheadAfter({ concurrency: 1, jobMs: 25 })).toBe(0)
        expect(aheadAfter({ concurrency: 1, jobMs: 15 })).toBeGreaterThan(0)
        expect(aheadAfter({ concurrency: 100, jobMs: 1_000 })).toBe(0)
    })

    it("claims short jobs ahead for many slots as for few", () => {
        for (const concurrency of [64, 501, 1_000]) expect(aheadAfter({ concurrency, jobMs: 1 })).toBe(1_000)
    })

    it("claims ahead what ends within the next moments, and never more than a thousand", () => {
        const ahead = aheadAfter({ concurrency: 10, jobMs: 1 })
        expect(ahead).toBeGreaterThan(200)
        expect(ahead).toBeLessThanOrEqual(400)
        expect(aheadAfter({ concurrency: 10, jobMs: 0.001 })).toBe(1_000)
    })

    it("does not take the time of a slow database for the time of the jobs", () => {
        expect(aheadAfter({ concurrency: 1, jobMs: 0.01, claimMs: 100 })).toBe(1_000)
    })

    it("does not take slots that had nothing to do for slow jobs", () => {
        expect(aheadAfter({ concurrency: 64, jobMs: 1, maxClaimed: 400 })).toBe(1_000)
    })

    it("at most doubles what it has seen from one claim to the next", () => {
        expect(aheadAfter({ concurrency: 1, jobMs: 0.01, numRounds: 1 })).toBe(2)
        expect(aheadAfter({ concurrency: 1, jobMs: 0.01, numRounds: 2 })).toBe(6)
    })

    it("comes to what is right for short jobs, however often it is asked", () => {
        const pace = new Pace(64)
        let ahead = 0
        for (let nowMs = 0; nowMs < 200; nowMs++) {
            for (let n = 0; n < 64; n++) pace.started(nowMs)
            for (let n = 0; n < 64; n++) pace.ended(nowMs + 1)
            ahead = pace.ahead(nowMs + 1)
        }
        expect(ahead).toBe(1_000)
    })

    it("claims nothing ahead any more once jobs have ceased to end", () => {
        const pace = new Pace(1)
        for (let n = 0; n < 1_000; n++) {
            pace.started(n / 100)
            pace.ended((n + 1) / 100)
        }
        pace.started(10)
        expect(pace.ahead(10)).toBeGreaterThan(0)
        expect(pace.ahead(20)).toBe(0)
    })
})
