import { describe, expect, inject, it } from "vitest"
import { pgDriver } from "../../src/db/pg-driver.ts"
import { Config } from "../../src/index.ts"
import { aborted, define } from "../support/define.ts"
import { makeSilentProxy } from "../support/silent-proxy.ts"
import { eventually, hasServer, makePool, makeQueue } from "../support/with-schema.ts"

describe.skipIf(!hasServer())("a server that falls silent", () => {
    it("does not hold whoever ends the listening connection", async () => {
        const proxy = await makeSilentProxy(inject("connectionString"))
        const driver = pgDriver(makePool({ connectionString: proxy.url }))
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
        const proxy = await makeSilentProxy(inject("connectionString"))
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
})
