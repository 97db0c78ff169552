import { describe, expect, it } from "vitest"
import { JobDefinition } from "../../src/index.ts"
import { eventually, makeQueue } from "../support/with-schema.ts"

describe("defer", () => {
    it("runs the job with its payload and keeps the result in history", async () => {
        const queue = await makeQueue()
        const add = new JobDefinition({
            config: queue.config,
            name: "add",
            jobFunction: async (payload: { a: number; b: number }) => ({ sum: payload.a + payload.b }),
        })
        add.register()
        queue.worker()
        const id = await add.defer({ payload: { a: 1, b: 2 } })
        const [row] = await eventually(async () => (await queue.history()).length > 0 && queue.history())
        expect(row).toMatchObject({
            id: expect.anything(),
            outcome: "succeeded",
            attempt: 1,
            result: { sum: 3 },
        })
        expect(Number(row?.id)).toBe(id)
        expect(await queue.jobs()).toEqual([])
    })
})
