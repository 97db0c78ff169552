import { describe, expect, it } from "vitest"
import { pgDriver } from "../../src/db/pg-driver.ts"
import { Config, type PgPool } from "../../src/index.ts"
import { aborted, define } from "../support/define.ts"
import { waitsBefore } from "../support/flaky-pool.ts"
import { makeSilentProxy } from "../support/silent-proxy.ts"
import { eventually, hasServer, makePool, makeQueue, queueURL } from "../support/with-schema.ts"

describe.skipIf(!hasServer())("a server that falls silent", () => {
    it("does not hold whoever ends the listening connection", async () => {
        const proxy = await makeSilentProxy(queueURL())
        const driver = pgDriver(makePool({ connectionString: proxy.url }), { preparedStatements: true })
        const listening = await driver.listen?.({
            channel: "silent",
            onMessage: () => undefined,
            onLost: () => undefined,
        })
        proxy.fallSilent()
        let hasStopped = false
        void listening?.stop().then(() => {
            hasStopped = true
        })
        await eventually(() => hasStopped, 5_000)
    })

    it("lets the jobs of a lease know when it lapses, not when a statement is given up", async () => {
        const queue = await makeQueue()
        const proxy = await makeSilentProxy(queueURL())
        const config = new Config({
            pool: makePool({ connectionString: proxy.url }),
            schema: queue.schemaName,
        })
        let reason: unknown
        const job = define(
            config,
            async (_payload, { signal }) => {
                reason = await aborted(signal)
            },
            { lockIntervalMs: 1_500, numAttempts: 1 },
        )
        const worker = queue.worker({ config })
        await job.defer({ payload: {} })
        await eventually(() => queue.events.some(({ eventType }) => eventType === "worker-job-dequeue"))
        proxy.fallSilent()
        expect(await eventually(() => reason, 6_000)).toMatchObject({ code: "CUCKMQ_LEASE_LOST" })
        worker.stop()
        await worker.join({ graceMs: 0 })
    })

    it("does not keep the places of a pool whose connections were being made", async () => {
        const proxy = await makeSilentProxy(queueURL())
        const pool = makePool({ connectionString: proxy.url, max: 2 })
        const { query } = pgDriver(pool, { preparedStatements: true })
        const ask = () => query({ text: "select 1", values: [], deadlineMs: 200 })
        proxy.fallSilent()
        await Promise.all(
            [ask(), ask(), ask()].map((asked) => expect(asked).rejects.toThrow("within 200 ms")),
        )
        expect(pool.totalCount).toBe(2)
        proxy.speakAgain()
        expect(await eventually(() => ask().catch(() => undefined))).toEqual([["1"]])
        expect(pool.waitingCount).toBe(0)
    })

    it("is not asked to roll back what it does not answer", async () => {
        const proxy = await makeSilentProxy(queueURL())
        const texts: string[] = []
        const pool = waitsBefore(makePool({ connectionString: proxy.url }), "", async (text) => {
            texts.push(text)
            if (text === "select 1") proxy.fallSilent()
        })
        const { transaction } = pgDriver(pool as PgPool, { preparedStatements: true })
        const work = transaction({ deadlineMs: 500, work: (run) => run("select 1", []) })
        await expect(work).rejects.toThrow("no answer from the database")
        expect(texts).toEqual(["begin isolation level read committed", "select 1"])
    })
})
