import { describe, expect, it } from "vitest"
import { monotonicMs } from "../clock.ts"
import type { JobRun } from "./run-job.ts"
import { Stock } from "./stock.ts"

function makeStock() {
    const started: JobRun[] = []
    const stock = new Stock(1)
    const add = (name: string, priority: number, claimedAtMs = 0) => {
        const parts = { name, claimedAtMs, job: { priority }, start: async () => void started.push(run) }
        const run = parts as unknown as JobRun
        stock.add(run)
    }
    return { stock, started, add }
}

describe("Stock", () => {
    it("starts what waits by priority, and in the order of claims where that is equal", () => {
        const { stock, started, add } = makeStock()
        add("before", 3)
        stock.startNext()
        add("second", 0)
        add("last", 2)
        add("first", -1)
        add("third", 0)
        while (stock.startNext());
        const names = ["before", "first", "second", "third", "last"]
        expect(started).toMatchObject(names.map((name) => ({ name })))
    })

    it("tells how long the oldest has waited, wherever it stands", () => {
        const { stock, add } = makeStock()
        expect(stock.waitedMs).toBe(0)
        const nowMs = monotonicMs()
        add("old", 2, nowMs - 5_000)
        add("new", 1, nowMs)
        expect(stock.waitedMs).toBeGreaterThanOrEqual(5_000)
    })
})
