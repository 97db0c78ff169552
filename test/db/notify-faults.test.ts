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

describe.skipIf(!hasServer())("a notification that another one holds up", () => {
    it("does not hold up those who defer", async () => {
        // A commit that waits for a standby that is not there keeps its turn among the database's notifications.
        const server = await startServer(["synchronous_standby_names=nobody", "synchronous_commit=local"])
        const queue = await makeQueueAt(server.connectionString)
        const pool = new pg.Pool({ connectionString: server.connectionString, max: 2 })
        onTestFinished(() => pool.end())
        await pool.query("create table written (n int)")
        const holder = await pool.connect()
        await holder.query("set synchronous_commit = on")
        const held = holder.query("with w as (insert into written values (1)) select pg_notify('held', '')")
        const isHeld = `select 1 from pg_stat_activity where wait_event = 'SyncRep'`
        await eventually(async () => (await pool.query(isHeld)).rows.length === 1)
        onTestFinished(async () => {
            const { rows } = await pool.query(isHeld.replace("select 1", "select pg_cancel_backend(pid)"))
            expect(rows).toHaveLength(1)
            await held
            holder.release(true)
        })

        const finder = queue.otherConfig()
        define(finder, () => undefined)
        queue.worker({ config: finder, processIntervalMs: 50 })
        const ids: number[] = []
        const job = define(queue.config, () => undefined)
        for (let n = 0; n < 20; n++) ids.push(await job.defer({ payload: {} }))
        const history = `select 1 from ${queue.schema}.job_history where id = any($1) and outcome = 'succeeded'`
        await eventually(async () => (await queue.pool.query(history, [ids])).rows.length === ids.length)
        expect((await pool.query(isHeld)).rows).toHaveLength(1)
    }, 60_000)
})
