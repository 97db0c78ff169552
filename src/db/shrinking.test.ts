import { describe, expect, it, onTestFinished, vi } from "vitest"
import { shrinking } from "./shrinking.ts"

/** A step that is too long for more than `num`, and what it was asked for. */
function stepOf(num: number) {
    const asked: number[] = []
    const step = async (limit: number) => {
        asked.push(limit)
        if (limit > num) throw Object.assign(new Error("too long"), { code: "57014" })
        return limit
    }
    return { asked, step }
}

describe("shrinking", () => {
    it("asks for everything at first, and for half of it while that is too long", async () => {
        const { asked, step } = stepOf(300)
        expect(await shrinking(1_000)(step)).toBe(250)
        expect(asked).toEqual([1_000, 500, 250])
    })

    it("begins where it was in time, and asks for more little by little, never for more than the most", async () => {
        const inTime = shrinking(100)
        await inTime(stepOf(50).step)
        const { asked, step } = stepOf(100)
        for (let n = 0; n < 5; n++) await inTime(step)
        expect(asked).toEqual([63, 79, 99, 100, 100])
    })

    it("gives up when one is too many, and on any other fault", async () => {
        await expect(shrinking(8)(stepOf(0).step)).rejects.toThrow("too long")
        let numTries = 0
        const failing = async () => {
            numTries++
            throw new Error("other")
        }
        await expect(shrinking(8)(failing)).rejects.toThrow("other")
        expect(numTries).toBe(1)
    })
})

it("does less where steps take longer than was aimed at, but not ever less, and comes back to more", async () => {
    let nowMs = 0
    const spy = vi.spyOn(performance, "now").mockImplementation(() => nowMs)
    onTestFinished(() => spy.mockRestore())
    const inTime = shrinking(1_000, { aimMs: 50 })
    const limits: number[] = []
    for (const tookMs of [100, 50, 5_000, 10, 1, 1])
        await inTime(async (limit) => {
            limits.push(limit)
            nowMs += tookMs
        })
    expect(limits).toEqual([1_000, 500, 500, 100, 125, 157])
})
