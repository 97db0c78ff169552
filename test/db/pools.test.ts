import type pg from "pg"
import { describe, expect, it, onTestFinished } from "vitest"
import { define } from "../support/define.ts"
import { finalized, finalizedJob } from "../support/finalized.ts"
import { eventually, hasServer, makeQueue } from "../support/with-schema.ts"

describe.skipIf(!hasServer())("a pool of one connection", () => {
    it("is enough for workers, an orchestrator, producers and handlers that defer", async () => {
        const queue = await makeQueue({ pool: { max: 1 } })
        const child = define(queue.config, () => undefined, { name: "child" })
        const job = define(
            queue.config,
            async (_payload, { jobID, attempt }) => {
                if (attempt === 1) throw new Error("first")
                await child.defer({ payload: {}, dependencies: [jobID] })
            },
            { numAttempts: 1 },
        )
        queue.worker({ concurrency: 10 })
        queue.worker({ concurrency: 10 })
        queue.orchestrator({ cleanIntervalMs: 20, heartbeatIntervalMs: 20 })
        await Promise.all(Array.from({ length: 50 }, (_, n) => job.defer({ payload: { n } })))
        const rows = await finalized(queue, 100)
        expect(rows.filter(({ outcome }) => outcome !== "succeeded")).toEqual([])
        expect(queue.events.filter(({ eventType }) => eventType === "daemon-error")).toEqual([])
    })
})

describe.skipIf(!hasServer())("a pool that the application exhausts", () => {
    it("delays jobs until a connection is free, and nothing else", async () => {
        const queue = await makeQueue({ pool: { max: 2 } })
        const job = define(queue.config, () => undefined)
        queue.worker()
        await finalizedJob(queue, await job.defer({ payload: {} }))
        const pool = queue.pool as unknown as pg.Pool
        const clients = await Promise.all([pool.connect(), pool.connect()])
        const deferred = job.defer({ payload: {} })
        await eventually(() => pool.waitingCount > 0)
        for (const client of clients) client.release()
        expect(await finalizedJob(queue, await deferred)).toMatchObject({ outcome: "succeeded", attempt: 1 })
    })

    it("does not keep a worker from being stopped", async () => {
        const queue = await makeQueue({ pool: { max: 1 } })
        const job = define(queue.config, () => undefined)
        const worker = queue.worker({ processIntervalMs: 10 })
        await finalizedJob(queue, await job.defer({ payload: {} }))
        const pool = queue.pool as unknown as pg.Pool
        const client = await pool.connect()
        onTestFinished(() => client.release())
        await eventually(() => pool.waitingCount > 0)
        worker.stop()
        await worker.join({ graceMs: 50 })
        expect(queue.events.at(-1)).toEqual({ eventType: "daemon-stop" })
    })
})

describe.skipIf(!hasServer())("a pool that is shared by many Configs", () => {
    it("does not collect listeners", async () => {
        const warnings: string[] = []
        const onWarning = ({ name }: Error) => void warnings.push(name)
        process.on("warning", onWarning)
        const queue = await makeQueue({ pool: { max: 1 } })
        const pool = queue.pool as unknown as pg.Pool
        const { Config } = await import("../../src/index.ts")
        for (let n = 0; n < 50; n++) new Config({ pool: queue.pool, schema: queue.schemaName })
        const job = define(queue.config, () => undefined)
        await Promise.all(Array.from({ length: 50 }, () => job.defer({ payload: {} })))
        await new Promise(setImmediate)
        process.off("warning", onWarning)
        expect(warnings).not.toContain("MaxListenersExceededWarning")
        expect(pool.listenerCount("error")).toBeLessThan(5)
    })
})
