import { expect, it } from "vitest"
import { KeyedBatcher, type Patience } from "./keyed-batcher.ts"
import type { KeyRule } from "./unique-jobs.ts"

/** A job with a key. */
function jobOf(key: string) {
    return {
        payload: "{}",
        definition: { name: "job" },
        delayMs: null,
        runAtMs: null,
        dependencies: [],
        priority: null,
        unique: { key } as KeyRule,
    }
}

it("leaves nobody's failure alone while the jobs of other keys are under way", async () => {
    const turn = () => new Promise((resolve) => setTimeout(resolve, 10))
    const insert = async (jobs: readonly ReturnType<typeof jobOf>[], patience: Patience) => {
        const keys = jobs.map(({ unique }) => unique.key)
        if (patience === "patient") throw new Error("connection lost")
        if (keys.includes("held")) throw Object.assign(new Error("held"), { code: "55P03" })
        // Long enough for a rejection that nobody handles to be noticed.
        await turn()
        throw new Error("refused")
    }
    const batcher = new KeyedBatcher({ insert, maxItems: 10, maxWeight: 1_000 })
    const ends = await Promise.allSettled(["held", "free"].map((key) => batcher.add(jobOf(key))))
    expect(ends).toMatchObject([
        { status: "rejected", reason: { message: "connection lost" } },
        { status: "rejected", reason: { message: "refused" } },
    ])
})
