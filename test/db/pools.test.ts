import type pg from "pg"
import { describe, expect, it, onTestFinished } from "vitest"
import { NotSentError } from "../../src/db/failure.ts"
import { pgDriver } from "../../src/db/pg-driver.ts"
import { define } from "../support/define.ts"
import { finalized, finalizedJob, finalizedJobs } from "../support/finalized.ts"
import { makeRole } from "../support/role.ts"
import { directURL, eventually, hasServer, makePool, makeQueue } from "../support/with-schema.ts"

describe.skipIf(!hasServer()).each([1, 2])("a pool of no more connections than %i", (max) => {
    it("is enough for workers, an orchestrator, producers and handlers that defer", async () => {
        const queue = await makeQueue({ pool: { max } })
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

describe.skipIf(!hasServer())("a statement for which no connection is free", () => {
    it("is given up at its deadline, as not sent, and leaves the pool whole", async () => {
        const pool = makePool({ max: 1 })
        const driver = pgDriver(pool, { preparedStatements: true })
        const client = await pool.connect()
        const late = driver.query({ text: "select 1", values: [], deadlineMs: 100 })
        await expect(late).rejects.toBeInstanceOf(NotSentError)
        client.release()
        await eventually(() => pool.idleCount === 1 && pool.waitingCount === 0)
        expect(await driver.query({ text: "select 2", values: [], deadlineMs: 10_000 })).toEqual([["2"]])
    })
})

describe.skipIf(!hasServer())("a role whose connections are all taken", () => {
    it("holds up daemons and refuses producers, until there are some again", async () => {
        const queue = await makeQueue()
        const { sql, schema } = queue
        const role = await makeRole({ grants: [] })
        await sql.query(`alter role ${role} connection limit 2`)
        const connectionString = directURL(role)
        await sql.query(`grant usage on schema ${schema} to ${role}`)
        await sql.query(`grant all on all tables in schema ${schema} to ${role}`)
        await sql.query(`grant all on all sequences in schema ${schema} to ${role}`)
        const theirs = makePool({ connectionString, max: 2 })
        const clients = await Promise.all([theirs.connect(), theirs.connect()])
        const config = queue.otherConfig({ connectionString, max: 3 })
        const job = define(config, () => undefined)
        queue.worker({ config, concurrency: 3 })
        queue.orchestrator({ config, cleanIntervalMs: 50 })
        await expect(job.defer({ payload: {} })).rejects.toMatchObject({
            code: "CUCKMQ_DATABASE",
            sqlState: "53300",
            retryable: true,
        })
        const activities = () =>
            new Set(queue.events.map((event) => (event.eventType === "daemon-error" ? event.activity : "")))
        await eventually(() => activities().has("look around") && activities().has("heartbeat"))
        // Fewer than the pool believes it may have: what it asks for beyond them is refused now and then.
        for (const client of clients) client.release(true)
        const ids: number[] = []
        while (ids.length < 20) {
            const id = await job.defer({ payload: {} }).catch((error: unknown) => {
                expect(error).toMatchObject({ sqlState: "53300", retryable: true })
            })
            if (id !== undefined) ids.push(id)
        }
        const rows = await finalizedJobs(queue, ids)
        expect(rows.filter(({ outcome, attempt }) => outcome !== "succeeded" || attempt !== 1)).toEqual([])
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
