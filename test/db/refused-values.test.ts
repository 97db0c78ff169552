import { describe, expect, it } from "vitest"
import { JobDefinition } from "../../src/index.ts"
import { eventually, hasServer, makeQueue } from "../support/with-schema.ts"

/** Nested more deeply than the JSON parser of Postgres can follow. */
function nested(depth: number): unknown {
    let value: unknown = []
    for (let n = 0; n < depth; n++) value = [value]
    return value
}

describe("a result that the database refuses", () => {
    it.skipIf(!hasServer())("is left out, and holds up neither its own job nor its neighbours", async () => {
        const queue = await makeQueue()
        const deep = new JobDefinition({
            config: queue.config,
            name: "deep",
            jobFunction: async (payload: { depth: number }) => nested(payload.depth),
        })
        deep.register()
        await deep.deferMany([1, 2, 3, 6_500, 4, 5].map((depth) => ({ payload: { depth } })))
        queue.worker({ concurrency: 10 })
        const rows = await eventually(async () => {
            const history = await queue.history()
            return history.length === 6 && history
        })
        expect(rows.map((row) => row.outcome)).toEqual(Array(6).fill("succeeded"))
        expect(rows.map((row) => row.result === null)).toEqual([false, false, false, true, false, false])
    })
})
