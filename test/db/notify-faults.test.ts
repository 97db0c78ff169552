import pg from "pg"
import { describe, expect, inject, it, onTestFinished } from "vitest"
import { Config } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalizedJobs } from "../support/finalized.ts"
import { waitsBefore } from "../support/flaky-pool.ts"
import { makeGate } from "../support/gate.ts"
import { makeQueueAt, startServer } from "../support/own-server.ts"
import { eventually, hasServer, makePool, makeQueue } from "../support/with-schema.ts"

/** The queue of notifications has had a limit that can be set since release 17. */
const CAN_BE_FILLED = hasServer() && Number(inject("leg")) >= 17

describe.skipIf(!CAN_BE_FILLED)("a server whose queue of notifications is full", () => {
    it("takes jobs as ever, and has them found by polling", async () => {
        const server = await startServer(["max_notify_queue_pages=64"])
        const queue = await makeQueueAt(server.connectionString)
        const job = define(queue.config, () => undefined)
        const pool = new pg.Pool({ connectionString: server.connectionString, max: 2 })
        onTestFinished(() => pool.end())
        // One that listens, and idles in a transaction, keeps everything from being taken out of the queue.
        const listener = await pool.connect()
        onTestFinished(() => listener.release(true))
        await listener.query("listen filled")
        await listener.query("begin")
        await listener.query("select 1")
        const fill = () => pool.query("select pg_notify('filled', repeat('x', 7999))")
        const refusal = await eventually(() =>
            fill().then(
                () => undefined,
                (error: unknown) => error,
            ),
        )
        expect(refusal).toMatchObject({ code: "54000" })

        const finder = queue.otherConfig()
        define(finder, () => undefined)
        queue.worker({ config: finder, concurrency: 5 })
        const ids = await Promise.all(Array.from({ length: 50 }, () => job.defer({ payload: {} })))
        ids.push(...(await job.deferMany(Array.from({ length: 50 }, () => ({ payload: {} })))))
        const history = `select 1 from ${queue.schema}.job_history where id = any($1) and outcome = 'succeeded'`
        await eventually(async () => (await queue.pool.query(history, [ids])).rows.length === ids.length)
        await expect(fill()).rejects.toMatchObject({ code: "54000" })
        expect(queue.events.filter(({ eventType }) => eventType === "daemon-error")).toEqual([])
    }, 60_000)
})

describe.skipIf(!hasServer())("a notification that does not come to an end", () => {
    it("holds up neither those who defer nor those who work", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        let numHeld = 0
        const pool = waitsBefore(makePool({ max: 3 }), "-- cuckmq: notify", () => {
            numHeld++
            return gate.opened
        })
        const config = new Config({ pool, schema: queue.schemaName })
        const job = define(config, () => undefined)
        queue.worker({ config })
        const ids: number[] = []
        for (let n = 0; n < 20; n++) ids.push(await job.defer({ payload: {} }))
        expect(await finalizedJobs(queue, ids)).toHaveLength(20)
        // One for the hint, and one for the listening connection's test of itself.
        expect(numHeld).toBeLessThanOrEqual(2)
        expect(numHeld).toBeGreaterThan(0)
        gate.open()
    })
})
