import { describe, expect, it } from "vitest"
import { DatabaseError, JobDefinition } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { makeRole } from "../support/role.ts"
import { eventually, hasServer, makeQueue } from "../support/with-schema.ts"

/** On this little stack the server's JSON parser gives up long before ours does. */
const LITTLE_STACK = { max_stack_depth: "100kB" }
const TOO_DEEP = 3_000

function nested(depth: number): unknown {
    let value: unknown = []
    for (let n = 0; n < depth; n++) value = [value]
    return value
}

describe("a result that the database refuses", () => {
    it.skipIf(!hasServer())("is left out, and holds up neither its own job nor its neighbours", async () => {
        const queue = await makeQueue({ pool: { role: await makeRole({ settings: LITTLE_STACK }) } })
        const deep = new JobDefinition({
            config: queue.config,
            name: "deep",
            jobFunction: async (payload: { depth: number }) => nested(payload.depth),
        })
        deep.register()
        await deep.deferMany([1, 2, 3, TOO_DEEP, 4, 5].map((depth) => ({ payload: { depth } })))
        queue.worker({ concurrency: 10 })
        const rows = await eventually(async () => {
            const history = await queue.history()
            return history.length === 6 && history
        })
        const errors = queue.events.filter((event) => event.eventType === "daemon-error")
        expect(errors.map(({ error }) => (error as { code?: string }).code)).toEqual(["54001"])
        expect(rows.map((row) => row.outcome)).toEqual(Array(6).fill("succeeded"))
        expect(rows.map((row) => row.result === null)).toEqual([false, false, false, true, false, false])
    })
})

/** Reads as a number the first time, and then as something that the database refuses. */
function deeperTheSecondTime(): object {
    let numReads = 0
    return Object.defineProperty({}, "value", {
        enumerable: true,
        get: () => (numReads++ === 0 ? 1 : nested(TOO_DEEP)),
    })
}

describe("a payload that the database refuses", () => {
    it.skipIf(!hasServer())("is refused alone, whoever defers at the same time", async () => {
        const queue = await makeQueue({ pool: { role: await makeRole({ settings: LITTLE_STACK }) } })
        const job = define(queue.config, () => undefined)
        const payloads = [
            { n: 1 },
            { n: 2 },
            deeperTheSecondTime(),
            { n: 3 },
            deeperTheSecondTime(),
            { n: 4 },
        ]
        const outcomes = await Promise.allSettled(
            payloads.map((payload) => job.defer({ payload: payload as never })),
        )
        const refused = outcomes.filter((outcome) => outcome.status === "rejected")
        expect(refused.map(({ reason }) => reason)).toEqual([
            expect.objectContaining({ sqlState: "54001", retryable: false }),
            expect.objectContaining({ sqlState: "54001", retryable: false }),
        ])
        for (const { reason } of refused) expect(reason).toBeInstanceOf(DatabaseError)
        const ids = outcomes.flatMap((outcome) =>
            outcome.status === "fulfilled" ? [String(outcome.value)] : [],
        )
        expect((await queue.jobs()).map(({ id, payload }) => ({ id, payload }))).toEqual(
            [1, 2, 3, 4].map((n, index) => ({ id: ids[index], payload: { n } })),
        )
    })
})
