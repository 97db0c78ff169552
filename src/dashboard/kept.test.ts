import { expect, it } from "vitest"
import { Kept } from "./kept.ts"

it("makes once what is asked for at the same time, and gives it again for its time", async () => {
    let num = 0
    const kept = new Kept({ make: async () => ++num, keptMs: 60_000 })
    expect(await Promise.all([kept.get(), kept.get()])).toEqual([1, 1])
    expect(await kept.get()).toBe(1)
})

it("makes it anew when its time is over", async () => {
    let num = 0
    const kept = new Kept({ make: async () => ++num, keptMs: 0 })
    expect([await kept.get(), await kept.get()]).toEqual([1, 2])
})

it("does not keep what failed", async () => {
    let num = 0
    const make = async () => {
        if (++num === 1) throw new Error("gone")
        return num
    }
    const kept = new Kept({ make, keptMs: 60_000 })
    await expect(kept.get()).rejects.toThrow("gone")
    expect(await kept.get()).toBe(2)
})
