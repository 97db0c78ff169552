import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { Database } from "./db/database.ts"
import { quoteSchema } from "./db/identifier.ts"
import { JobCounter } from "./job-counter.ts"

interface Written {
    name: string
    num_succeeded: number
    num_retried: number
    num_failed: number[]
    wait_counts: number[]
    run_ms: number
}

/** A counter on a database of the user's that remembers what it is told, or does with it what the test says. */
function makeCounter() {
    const written: { items: Written[]; ageMs: number }[] = []
    const told: unknown[] = []
    let fault: Error | undefined
    const refuse = (): never => {
        throw new Error("not used")
    }
    const pool = {
        query: async (_text: string, [json, ageMs]: [string, number]) => {
            if (fault !== undefined) throw fault
            written.push({ items: JSON.parse(json) as Written[], ageMs })
            return { rows: [] }
        },
        transaction: refuse,
        listen: refuse,
    }
    const database = new Database(pool as never, { preparedStatements: false })
    const counter = new JobCounter({ database, schema: quoteSchema("queue") })
    const end = counter.attach((activity, error) => told.push({ activity, error }))
    const failWith = (error: Error | undefined) => {
        fault = error
    }
    return { counter, written, told, failWith, end }
}

function sumOf(written: readonly { items: Written[] }[]): number {
    return written.flatMap(({ items }) => items).reduce((sum, item) => sum + item.num_succeeded, 0)
}

/** As a server that is too busy refuses a statement, of which nothing was done. */
const REFUSED = Object.assign(new Error("canceling statement due to statement timeout"), { code: "57014" })

describe("the counter of jobs", () => {
    beforeEach(() => {
        vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })
    })
    afterEach(() => {
        vi.useRealTimers()
    })

    it("writes what it counted every ten seconds or so, and nothing when there is nothing", async () => {
        const { counter, written } = makeCounter()
        await vi.advanceTimersByTimeAsync(60_000)
        expect(vi.getTimerCount()).toBe(0)
        counter.started("mail", 3)
        counter.succeeded("mail", 5)
        counter.retried("mail", 7)
        counter.failed("video", "timeout", null)
        await vi.advanceTimersByTimeAsync(9_900)
        expect(written).toEqual([])
        await vi.advanceTimersByTimeAsync(1_200)
        await vi.waitFor(() => expect(written).toHaveLength(1))
        expect(written[0]?.items).toEqual([
            expect.objectContaining({
                name: "mail",
                num_succeeded: 1,
                num_retried: 1,
                num_failed: [],
                run_ms: 12,
            }),
            expect.objectContaining({ name: "video", num_failed: [0, 1], wait_counts: [] }),
        ])
        expect(written[0]?.items[0]?.wait_counts).toEqual([0, 0, 0, 0, 1])
        // The middle of what was counted.
        expect(written[0]?.ageMs).toBeGreaterThanOrEqual(5_000)
        expect(written[0]?.ageMs).toBeLessThan(5_600)
        await vi.advanceTimersByTimeAsync(60_000)
        expect(written).toHaveLength(1)
        counter.succeeded("mail", 5)
        await vi.advanceTimersByTimeAsync(11_100)
        await vi.waitFor(() => expect(written).toHaveLength(2))
    })

    it("keeps what was refused for the next time, loses none of it, and takes no more and more room", async () => {
        const { counter, written, told, failWith } = makeCounter()
        failWith(REFUSED)
        for (let time = 0; time < 200; time++) {
            counter.succeeded(time % 2 === 0 ? "mail" : "video", 1)
            await counter.write()
            vi.advanceTimersByTime(1_000)
        }
        expect(told).toEqual([{ activity: "write throughput", error: REFUSED }])
        failWith(undefined)
        counter.succeeded("mail", 1)
        await counter.write()
        expect(sumOf(written)).toBe(201)
        expect(written.length).toBeLessThanOrEqual(61)
        // Each but the oldest is still said to be of its own time.
        expect(written.at(-2)?.ageMs).toBeCloseTo(1_000, -2)
        expect(written.at(-12)?.ageMs).toBeCloseTo(11_000, -2)
        failWith(REFUSED)
        counter.succeeded("mail", 1)
        await counter.write()
        expect(told).toHaveLength(2)
    })

    it("does not write again what may have been written", async () => {
        const { counter, written, told, failWith } = makeCounter()
        failWith(new Error("Connection terminated unexpectedly"))
        counter.succeeded("mail", 1)
        await counter.write()
        failWith(undefined)
        counter.succeeded("video", 1)
        await counter.write()
        expect(written.map(({ items }) => items.map(({ name }) => name))).toEqual([["video"]])
        expect(told).toHaveLength(1)
    })

    it("writes the rest when it is no longer wanted, and tells no more", async () => {
        const { counter, written, told, failWith, end } = makeCounter()
        counter.succeeded("mail", 1)
        await end()
        expect(sumOf(written)).toBe(1)
        expect(vi.getTimerCount()).toBe(0)
        failWith(REFUSED)
        counter.succeeded("mail", 1)
        await counter.write()
        expect(told).toEqual([])
    })
})
