import type pg from "pg"
import { describe, expect, it } from "vitest"
import { Config, JobDefinition } from "../../src/index.ts"
import { finalizedJob, finalizedJobs } from "../support/finalized.ts"
import { inTransaction, openSession } from "../support/transaction.ts"
import { eventually, hasServer, makePool, makeQueue, type Queue, type Sql } from "../support/with-schema.ts"

const ROLLBACK = new Error("roll back")

function define(config: Config, name = "job") {
    const definition = new JobDefinition({ config, name, jobFunction: (payload: object) => payload })
    definition.register()
    return definition
}

async function rolledBack(queue: Queue, work: (client: Sql) => Promise<unknown>): Promise<void> {
    const transaction = inTransaction(queue, async (client) => {
        await work(client)
        throw ROLLBACK
    })
    await expect(transaction).rejects.toBe(ROLLBACK)
}

describe("a job deferred in the caller's transaction", () => {
    it("runs after the commit, with what the transaction wrote", async () => {
        const queue = await makeQueue()
        const job = define(queue.config)
        queue.worker({ processIntervalMs: 20 })
        await queue.sql.query(`create table ${queue.schema}.orders (job_id bigint)`)
        const id = await inTransaction(queue, async (client) => {
            const jobID = await job.defer({ payload: { order: 1 }, client })
            await client.query(`insert into ${queue.schema}.orders values ($1)`, [jobID])
            return jobID
        })
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded", result: { order: 1 } })
        const { rows } = await queue.sql.query(`select job_id from ${queue.schema}.orders`)
        expect(rows.map((row) => Number(row.job_id))).toEqual([id])
    })

    it("does not exist after a rollback", async () => {
        const queue = await makeQueue()
        const job = define(queue.config)
        await rolledBack(queue, async (client) => {
            await job.defer({ payload: {}, client })
            await job.deferMany([{ payload: {} }, { payload: {}, delayMs: 5 }], { client })
        })
        expect(await queue.jobs()).toEqual([])
    })

    it("breaks no later defer when it was the first of its definition and was rolled back", async () => {
        const queue = await makeQueue()
        const job = define(queue.config)
        await rolledBack(queue, (client) => job.defer({ payload: {}, client }))
        queue.worker({ processIntervalMs: 20 })
        const own = await job.defer({ payload: { by: "own" } })
        const theirs = await inTransaction(queue, (client) =>
            job.defer({ payload: { by: "theirs" }, client }),
        )
        const rows = await finalizedJobs(queue, [own, theirs])
        expect(rows).toMatchObject([{ result: { by: "own" } }, { result: { by: "theirs" } }])
    })

    it("may be one of many thousands, which come in order", async () => {
        const queue = await makeQueue()
        const job = define(queue.config)
        const payloads = Array.from({ length: 6_000 }, (_, i) => ({ payload: { i } }))
        const ids = await inTransaction(queue, (client) => job.deferMany(payloads, { client }))
        const jobs = await queue.jobs()
        expect(jobs.map((row) => Number(row.id))).toEqual(ids)
        expect(jobs.map((row) => row.payload)).toEqual(payloads.map(({ payload }) => payload))
    })
})

describe.skipIf(!hasServer())("a job deferred with a client of pg", () => {
    it("is invisible to workers until the commit", async () => {
        const queue = await makeQueue()
        const job = define(queue.config)
        queue.worker({ processIntervalMs: 10 })
        const client = await openSession()
        await client.query("begin")
        const hiddenID = await job.defer({ payload: {}, client })
        // Another job, deferred later, has been looked for and run meanwhile.
        await finalizedJob(queue, await job.defer({ payload: {} }))
        expect(await queue.history()).toHaveLength(1)
        await client.query("commit")
        expect(await finalizedJob(queue, hiddenID)).toMatchObject({ outcome: "succeeded" })
    })

    it("needs no other connection of a pool that has only this one", async () => {
        const queue = await makeQueue({ pool: { max: 1 } })
        const job = define(queue.config)
        const client = await (queue.pool as unknown as pg.Pool).connect()
        await client.query("begin")
        const first = await job.defer({ payload: {}, client })
        const [second = 0] = await job.deferMany([{ payload: {}, dependencies: [first] }], { client })
        await client.query("commit")
        client.release()
        queue.worker()
        await finalizedJobs(queue, [first, second])
    })

    it("does not wait for a defer of the same definition that waits for its connection", async () => {
        const queue = await makeQueue({ pool: { max: 1 } })
        const job = define(queue.config)
        const pool = queue.pool as unknown as pg.Pool
        const client = await pool.connect()
        await client.query("begin")
        // It cannot start before the transaction has given back the only connection.
        const waiting = job.defer({ payload: { by: "own" } })
        await eventually(() => pool.waitingCount === 1)
        await job.defer({ payload: { by: "theirs" }, client })
        await client.query("commit")
        client.release()
        await waiting
        expect((await queue.jobs()).map((row) => row.payload)).toEqual([{ by: "theirs" }, { by: "own" }])
    })

    it("does not hold up a defer of the same definition elsewhere, once that is known", async () => {
        const queue = await makeQueue()
        const job = define(queue.config)
        await job.defer({ payload: {} })
        const client = await openSession()
        await client.query("begin")
        await job.defer({ payload: {}, client })
        await job.defer({ payload: {} })
        await define(queue.otherConfig()).defer({ payload: {} })
        await client.query("rollback")
        expect(await queue.jobs()).toHaveLength(3)
    })

    it("works whatever type parsers and row mode the client has", async () => {
        const queue = await makeQueue()
        const job = define(queue.config)
        const types = { getTypeParser: () => () => "parsed" }
        const pool = makePool({ types: types as unknown as pg.CustomTypesConfig })
        const withParsers = new Config({ pool: pool as unknown as Queue["pool"], schema: queue.schemaName })
        const elsewhere = define(withParsers, "elsewhere")
        const id = await elsewhere.defer({ payload: { a: 1 } })
        const dependent = await elsewhere.defer({ payload: {}, dependencies: [id] })
        queue.worker({ config: withParsers })
        expect(await finalizedJob(queue, dependent)).toMatchObject({ outcome: "succeeded" })
        expect(await finalizedJob(queue, id)).toMatchObject({ result: { a: 1 } })
        expect(typeof (await job.defer({ payload: {} }))).toBe("number")
    })
})
