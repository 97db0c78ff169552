import { expect, it } from "vitest"
import { DependencyNotFoundError } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { inTransaction } from "../support/transaction.ts"
import { makeQueue } from "../support/with-schema.ts"

it("deferMany with a client defers all or none, though it takes several statements", async () => {
    const queue = await makeQueue()
    const job = define(queue.config, () => undefined)
    const jobs = Array.from({ length: 5_001 }, (_, n) => ({
        payload: { n },
        dependencies: n === 5_000 ? [999_999_999] : [],
    }))
    await inTransaction(queue, async (client) => {
        await expect(job.deferMany(jobs, { client })).rejects.toThrow(DependencyNotFoundError)
        await job.defer({ payload: { n: "after" }, client })
    })
    expect((await queue.jobs()).map(({ payload }) => payload)).toEqual([{ n: "after" }])
    await inTransaction(queue, async (client) => {
        expect(
            await job.deferMany(jobs.slice(0, -1).concat({ payload: { n: 0 }, dependencies: [] }), {
                client,
            }),
        ).toHaveLength(5_001)
    })
    expect(await queue.jobs()).toHaveLength(5_002)
})
