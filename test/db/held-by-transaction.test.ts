import { describe, expect, it } from "vitest"
import { define } from "../support/define.ts"
import { finalized } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { openDirectSession, openSession, untilWaitingForLock } from "../support/transaction.ts"
import { eventually, hasServer, makeQueue } from "../support/with-schema.ts"

type Definition = ReturnType<typeof define>

describe("a transaction that has deferred a dependent and stays open", () => {
    it.skipIf(!hasServer()).each([
        ["succeeds", 1, "succeeded", "succeeded"],
        ["fails for good", 0, "failed", "failed"],
    ])(
        "holds up the job that it depends on, which %s, but no other",
        async (_, ends, outcome, dependentOutcome) => {
            const queue = await makeQueue()
            const gate = makeGate()
            const required = define(
                queue.config,
                async () => {
                    await gate.opened
                    if (ends === 0) throw new Error("as it should")
                },
                { name: "required" },
            )
            const other = define(queue.config, async () => undefined, { name: "other" })
            const requiredID = await required.defer({ payload: {} })
            queue.worker({ concurrency: 10 })
            await eventually(async () => (await queue.jobs())[0]?.state === "running")

            const session = await openSession()
            await session.query("begin")
            const dependentID = await other.defer({
                payload: {},
                dependencies: [requiredID],
                client: session,
            })
            // They end together with the required job, and so in the same statement.
            gate.open()
            await other.deferMany(Array.from({ length: 50 }, () => ({ payload: {} })))
            await eventually(async () => (await queue.history()).length === 50)
            await other.deferMany(Array.from({ length: 50 }, () => ({ payload: {} })))
            await eventually(async () => (await queue.history()).length === 100)
            expect((await queue.jobs()).map((job) => Number(job.id))).toEqual([requiredID])

            await session.query("commit")
            const history = await eventually(async () => {
                const rows = await queue.history()
                return rows.length === 102 && rows
            })
            const outcomeOf = (id: number) => history.find((row) => Number(row.id) === id)?.outcome
            expect(outcomeOf(requiredID)).toBe(outcome)
            expect(outcomeOf(dependentID)).toBe(dependentOutcome)
            expect(history.find((row) => Number(row.id) === requiredID)?.attempt).toBe(1)
        },
    )
})

describe("a deferral that waits for one of the jobs that it depends on", () => {
    it.skipIf(!hasServer())("wakes the worker that passed the others over meanwhile", async () => {
        const queue = await makeQueue()
        const [required, locked, other] = ["required", "locked", "other"].map((name) =>
            define(queue.config, () => undefined, {
                name,
                channel: name === "locked" ? "nobody" : "everybody",
            }),
        ) as [Definition, Definition, Definition]
        const requiredID = await required.defer({ payload: {} })
        const lockedID = await locked.defer({ payload: {} })
        const session = await openDirectSession()
        await session.query("begin")
        await session.query(`select from ${queue.schema}.job where id = ${lockedID} for update`)
        const deferring = locked.defer({ payload: {}, dependencies: [requiredID, lockedID] })
        await untilWaitingForLock(queue)
        await other.defer({ payload: {} })
        queue.worker({ channel: "everybody", concurrency: 10, processIntervalMs: 60_000 })
        expect(await finalized(queue, 1)).toMatchObject([{ outcome: "succeeded" }])
        await session.query("commit")
        const id = await deferring
        await finalized(queue, 2)
        expect((await queue.jobs()).map((job) => Number(job.id))).toEqual([lockedID, id])
    })
})
