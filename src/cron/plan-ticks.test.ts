import { describe, expect, it } from "vitest"
import { CronRule } from "./cron-rule.ts"
import { type OnMissed, planTicks } from "./plan-ticks.ts"

const MINUTE_MS = 60_000
const rule = new CronRule({ expression: "* * * * *", timeZone: "UTC" })

/** Minutes after the first tick, as the plan has them. */
function plan(onMissed: OnMissed, numMinutesLate: number) {
    const { dueMs, followingMs } = planTicks({ rule, onMissed, tickMs: 0, nowMs: numMinutesLate * MINUTE_MS })
    return { due: dueMs.map((ms) => ms / MINUTE_MS), following: followingMs / MINUTE_MS }
}

describe("the ticks that get a job", () => {
    it.each<[OnMissed, number, { due: number[]; following: number }]>([
        ["once", 0, { due: [0], following: 1 }],
        ["once", 0.5, { due: [0], following: 1 }],
        ["once", 5.5, { due: [5], following: 6 }],
        ["skip", 0.5, { due: [0], following: 1 }],
        // The latest of them is not late, whatever was missed before.
        ["skip", 5.5, { due: [5], following: 6 }],
        ["all", 3.5, { due: [0, 1, 2, 3], following: 4 }],
    ])("with %s, %d minutes late", (onMissed, numMinutesLate, expected) => {
        expect(plan(onMissed, numMinutesLate)).toEqual(expected)
    })

    it("with skip are none when the latest one is more than a minute late", () => {
        const yearly = new CronRule({ expression: "0 0 1 1 *", timeZone: "UTC" })
        const planAt = (nowMs: number) => planTicks({ rule: yearly, onMissed: "skip", tickMs: 0, nowMs })
        expect(planAt(MINUTE_MS)).toEqual({ dueMs: [0], followingMs: Date.UTC(1971, 0, 1) })
        expect(planAt(MINUTE_MS + 1)).toEqual({ dueMs: [], followingMs: Date.UTC(1971, 0, 1) })
    })

    it("with all are a hundred at a time", () => {
        const first = plan("all", 10_000)
        expect([first.due.length, first.due.at(-1), first.following]).toEqual([100, 99, 100])
    })

    it("include a tick that the expression does not name: it was due by an earlier one", () => {
        const tickMs = 1_234
        const all = planTicks({ rule, onMissed: "all", tickMs, nowMs: 2 * MINUTE_MS })
        expect(all).toEqual({ dueMs: [tickMs, MINUTE_MS, 2 * MINUTE_MS], followingMs: 3 * MINUTE_MS })
        const once = planTicks({ rule, onMissed: "once", tickMs, nowMs: MINUTE_MS - 1 })
        expect(once).toEqual({ dueMs: [tickMs], followingMs: MINUTE_MS })
    })

    it("are none for a schedule that has lost its tick", () => {
        expect(planTicks({ rule, onMissed: "all", tickMs: null, nowMs: 5 })).toEqual({
            dueMs: [],
            followingMs: MINUTE_MS,
        })
    })
})
