import { describe, expect, it, onTestFinished, vi } from "vitest"
import { Batcher, type Linger } from "./batcher.ts"

/** A batcher whose flushes the test ends, one by one. */
function makeBatcher(limits: { maxItems?: number; maxWeight?: number; linger?: Linger } = {}) {
    const batches: number[][] = []
    const ends: { resolve: () => void; reject: (error: Error) => void }[] = []
    const batcher = new Batcher<number, string>({
        maxItems: 100,
        weigh: (item) => item,
        ...limits,
        flush: (items) => {
            batches.push([...items])
            return new Promise((resolve, reject) => {
                ends.push({ resolve: () => resolve(items.map((item) => `done ${item}`)), reject })
            })
        },
    })
    /** Lets everything happen that waits for nothing. */
    const settle = () => new Promise(setImmediate)
    return { batcher, batches, ends, settle }
}

describe("Batcher", () => {
    it("flushes what comes in the same tick together", async () => {
        const { batcher, batches, ends, settle } = makeBatcher()
        const results = [batcher.add(1), batcher.add(2), batcher.add(3)]
        await settle()
        expect(batches).toEqual([[1, 2, 3]])
        ends[0]?.resolve()
        expect(await Promise.all(results)).toEqual(["done 1", "done 2", "done 3"])
    })

    it("collects while a flush is under way, and flushes that when it returns", async () => {
        const { batcher, batches, ends, settle } = makeBatcher()
        const first = batcher.add(1)
        await settle()
        const rest = [batcher.add(2)]
        await settle()
        rest.push(batcher.add(3))
        await settle()
        expect(batches).toEqual([[1]])
        ends[0]?.resolve()
        await settle()
        expect(batches).toEqual([[1], [2, 3]])
        expect(await first).toBe("done 1")
        ends[1]?.resolve()
        expect(await Promise.all(rest)).toEqual(["done 2", "done 3"])
    })

    it("fails all of a batch, and none of the next", async () => {
        const { batcher, ends, settle } = makeBatcher()
        const outcomes = Promise.allSettled([batcher.add(1), batcher.add(2)])
        await settle()
        const next = batcher.add(3)
        ends[0]?.reject(new Error("refused"))
        expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "rejected"])
        await settle()
        ends[1]?.resolve()
        expect(await next).toBe("done 3")
    })

    it("flushes no more items at once than it is told", async () => {
        const { batcher, batches, ends, settle } = makeBatcher({ maxItems: 2 })
        const all = Promise.all([1, 2, 3, 4, 5].map((item) => batcher.add(item)))
        for (let flush = 0; flush < 3; flush++) {
            await settle()
            ends[flush]?.resolve()
        }
        await all
        expect(batches).toEqual([[1, 2], [3, 4], [5]])
    })

    it("flushes no more weight at once than it is told, but one item whatever it weighs", async () => {
        const { batcher, batches, ends, settle } = makeBatcher({ maxWeight: 10 })
        const all = Promise.all([6, 4, 50, 1, 10].map((item) => batcher.add(item)))
        for (let flush = 0; flush < 4; flush++) {
            await settle()
            ends[flush]?.resolve()
        }
        await all
        expect(batches).toEqual([[6, 4], [50], [1], [10]])
    })

    it("waits for more after a flush of many, and not after one of few, nor with one that is urgent", async () => {
        vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })
        onTestFinished(() => void vi.useRealTimers())
        const { batcher, batches, ends, settle } = makeBatcher({ linger: { everyMs: 10, minItems: 2 } })
        const endLast = async () => {
            ends.at(-1)?.resolve()
            await settle()
        }
        void batcher.add(1)
        await settle()
        void batcher.add(2)
        void batcher.add(3)
        await endLast()
        expect(batches).toEqual([[1], [2, 3]])
        vi.advanceTimersByTime(4)
        void batcher.add(4)
        await endLast()
        vi.advanceTimersByTime(5)
        void batcher.add(5)
        await settle()
        expect(batches).toHaveLength(2)
        vi.advanceTimersByTime(1)
        await settle()
        expect(batches.slice(2)).toEqual([[4, 5]])
        void batcher.add(6)
        await endLast()
        expect(batches).toHaveLength(3)
        void batcher.add(7, true)
        await settle()
        expect(batches.slice(3)).toEqual([[6, 7]])
        void batcher.add(8)
        void batcher.add(9, true)
        await endLast()
        expect(batches.slice(4)).toEqual([[8, 9]])
    })
})
