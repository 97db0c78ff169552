import { describe, expect, it } from "vitest"
import { define } from "../support/define.ts"
import { finalized, rowID } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { makeRole } from "../support/role.ts"
import { inTransaction, untilWaitingForLock } from "../support/transaction.ts"
import { eventually, hasServer, makeQueue } from "../support/with-schema.ts"

describe.skipIf(!hasServer())("a role whose transactions are by default", () => {
    it.each(["repeatable read", "serializable"])(
        "%s works off all kinds of jobs, each once",
        async (level) => {
            const queue = await makeQueue({
                pool: { role: await makeRole({ settings: { default_transaction_isolation: level } }) },
            })
            const runs = new Map<number, number>()
            const job = define(
                queue.config,
                ({ fails }, { jobID, attempt }) => {
                    runs.set(jobID, (runs.get(jobID) ?? 0) + 1)
                    if (fails === true && attempt === 1) throw new Error("first")
                },
                { numAttempts: 1 },
            )
            queue.worker({ concurrency: 5 })
            queue.worker({ concurrency: 5 })
            queue.orchestrator({ cleanIntervalMs: 50 })
            queue.orchestrator({ cleanIntervalMs: 50 })
            const required = await job.deferMany(Array.from({ length: 60 }, (_, n) => ({ payload: { n } })))
            await Promise.all(
                Array.from({ length: 60 }, (_, n) =>
                    job.defer({
                        payload: { n, fails: n % 3 === 0 },
                        ...(n % 2 === 0 ? { delayMs: 50 } : {}),
                    }),
                ),
            )
            await job.deferMany(
                required.map((id) => ({ payload: {}, dependencies: [id, required[0] ?? id] })),
            )
            const rows = await finalized(queue, 180)
            expect(rows.filter(({ outcome }) => outcome !== "succeeded")).toEqual([])
            expect(rows).toHaveLength(180)
            expect([...runs.values()].filter((num) => num > 1)).toHaveLength(20)
            expect(await queue.jobs()).toEqual([])
        },
    )

    it("repeatable read releases a dependent that is deferred while the required job ends", async () => {
        const queue = await makeQueue({
            pool: {
                role: await makeRole({ settings: { default_transaction_isolation: "repeatable read" } }),
            },
        })
        const gate = makeGate()
        const job = define(queue.config, ({ waits }) => (waits === true ? gate.opened : undefined))
        queue.worker({ concurrency: 2 })
        const requiredID = await job.defer({ payload: { waits: true } })
        await job.defer({ payload: {}, dependencies: [requiredID] })
        await eventually(async () => (await queue.jobs())[0]?.state === "running")
        const plain = await makeQueue()
        await inTransaction(plain, async (client) => {
            await client.query("set transaction isolation level read committed")
            await job.defer({ payload: {}, dependencies: [requiredID], client })
            gate.open()
            await untilWaitingForLock(queue)
        })
        expect((await finalized(queue, 3)).map(({ outcome }) => outcome)).toEqual(
            Array.from({ length: 3 }, () => "succeeded"),
        )
    })

    it("read only is told so, and may try again", async () => {
        const queue = await makeQueue()
        const job = define(
            queue.otherConfig({
                role: await makeRole({ settings: { default_transaction_read_only: "on" } }),
            }),
            () => undefined,
        )
        await expect(job.defer({ payload: {} })).rejects.toMatchObject({
            code: "CUCKMQ_DATABASE",
            sqlState: "25006",
            retryable: true,
        })
    })
})

describe.skipIf(!hasServer())("a session whose time zone is far away", () => {
    it("delays, leases and times out jobs as any other", async () => {
        const queue = await makeQueue({
            pool: { role: await makeRole({ settings: { TimeZone: "Asia/Tokyo" } }) },
        })
        const elsewhere = queue.otherConfig({
            role: await makeRole({ settings: { TimeZone: "America/St_Johns" } }),
        })
        const gate = makeGate()
        const producer = define(queue.config, () => undefined)
        define(elsewhere, ({ waits }) => (waits === true ? gate.opened : undefined))
        const runAt = new Date(Date.now() + 400)
        const delayedID = await producer.defer({ payload: {}, delayMs: 300 })
        await producer.defer({ payload: {}, runAt })
        const heldID = await producer.defer({ payload: { waits: true } })
        queue.worker({ config: elsewhere, concurrency: 3 })
        queue.orchestrator({ cleanIntervalMs: 20 })
        const rows = await finalized(queue, 2)
        expect(rows.map(({ id }) => Number(id))).toContain(delayedID)
        for (const row of rows) {
            const waitedMs = Number(row.claimed_at) - Number(row.due_at)
            expect(waitedMs).toBeGreaterThanOrEqual(0)
            expect(waitedMs).toBeLessThan(10_000)
            expect(row).toMatchObject({ outcome: "succeeded", attempt: 1 })
        }
        expect(rows.map(({ due_at }) => Number(due_at))).toContain(runAt.getTime())
        // The lease is neither lapsed nor hours long, wherever it is looked at from.
        const left = `select extract(epoch from expires_at - clock_timestamp()) between 0 and 60 as yes from ${queue.schema}.lease`
        expect((await queue.sql.query(left)).rows).toEqual([{ yes: true }])
        expect(await queue.jobs()).toMatchObject([{ id: rowID(heldID), state: "running", token: 1 }])
        gate.open()
        await finalized(queue, 3)
    })
})
