import pg from "pg"
import { describe, expect, it, onTestFinished } from "vitest"
import { define } from "../support/define.ts"
import { makeGate } from "../support/gate.ts"
import { isLegOfRelease, makeQueueAt, startServer } from "../support/own-server.ts"
import { produce } from "../support/produce.ts"
import { makeSwitchingProxy } from "../support/switching-proxy.ts"
import { eventually } from "../support/with-schema.ts"

/** What the test itself looks and acts with. */
function openPool(connectionString: string): pg.Pool {
    const pool = new pg.Pool({ connectionString, max: 1 })
    onTestFinished(() => pool.end())
    return pool
}

describe.skipIf(!isLegOfRelease())("a server that becomes read only", () => {
    it("refuses producers with an error that says so, and holds up daemons until it writes again", async () => {
        const server = await startServer()
        const queue = await makeQueueAt(server.connectionString)
        const gate = makeGate()
        const job = define(queue.config, ({ waits }) => (waits === true ? gate.opened : undefined), {
            numAttempts: 2,
        })
        queue.worker({ concurrency: 3 })
        queue.orchestrator({ cleanIntervalMs: 50, heartbeatIntervalMs: 50 })
        const heldID = await job.defer({ payload: { waits: true } })
        const waitingID = await job.defer({ payload: {}, delayMs: 500 })
        const isRunning = () => queue.events.some(({ eventType }) => eventType === "worker-job-dequeue")
        await eventually(isRunning)
        const admin = new URL(server.connectionString)
        admin.searchParams.set("options", "-c default_transaction_read_only=off")
        const pool = openPool(admin.href)
        const setReadOnly = async (value: "on" | "off") => {
            await pool.query(`alter system set default_transaction_read_only = ${value}`)
            await pool.query("select pg_reload_conf()")
        }

        await setReadOnly("on")
        const refusal = await eventually(() =>
            job.defer({ payload: {} }).then(
                () => undefined,
                (error) => error,
            ),
        )
        expect(refusal).toMatchObject({ code: "CUCKMQ_DATABASE", sqlState: "25006", retryable: true })
        gate.open()
        const activities = () =>
            new Set(queue.events.map((event) => (event.eventType === "daemon-error" ? event.activity : "")))
        await eventually(() => activities().has("finalize jobs") && activities().has("heartbeat"))

        await setReadOnly("off")
        const history = `select outcome, attempt from ${queue.schema}.job_history where id = any($1) order by id`
        const rows = await eventually(async () => {
            const found = (await pool.query(history, [[heldID, waitingID]])).rows
            return found.length === 2 && found
        })
        expect(rows).toEqual([
            { outcome: "succeeded", attempt: 1 },
            { outcome: "succeeded", attempt: 1 },
        ])
        const id = await eventually(() => job.defer({ payload: {} }).catch(() => undefined))
        await eventually(async () => (await pool.query(history, [[id]])).rows.length === 1)
        expect(queue.events.some(({ eventType }) => eventType === "daemon-stop")).toBe(false)
    }, 60_000)
})

describe.skipIf(!isLegOfRelease())("a failover to a synchronous standby", () => {
    it("loses nothing that was acknowledged, and stops no daemon", async () => {
        const primary = await startServer()
        const proxy = await makeSwitchingProxy(primary.connectionString)
        const queue = await makeQueueAt(proxy.url, { max: 6 })
        const standby = await primary.startStandby()
        onTestFinished(() => standby.destroy())
        await queue.pool.query("alter system set synchronous_standby_names = '*'")
        await queue.pool.query("select pg_reload_conf()")
        await eventually(async () => {
            const { rows } = await queue.pool.query("select sync_state from pg_stat_replication")
            return rows[0]?.sync_state === "sync"
        })
        let numRuns = 0
        const job = define(queue.config, () => void numRuns++, { numAttempts: 5, lockIntervalMs: 2_000 })
        for (const name of ["one", "other"]) queue.worker({ name, concurrency: 5 })
        queue.orchestrator({ cleanIntervalMs: 100 })
        const producers = [1, 2, 3].map(() => produce(() => job.defer({ payload: {} })))
        const moreRuns = async () => {
            const numBefore = numRuns
            await eventually(() => numRuns > numBefore + 30)
        }
        await moreRuns()

        await primary.stop("immediate")
        const pool = openPool(standby.connectionString)
        await pool.query("select pg_promote()")
        await pool.query("alter system set synchronous_standby_names = ''")
        await pool.query("select pg_reload_conf()")
        proxy.turnTo(standby.connectionString)
        await moreRuns()

        await Promise.all(producers.map(({ stop }) => stop()))
        await eventually(async () => {
            const { rows } = await pool.query(`select count(*)::int as n from ${queue.schema}.job`)
            return rows[0]?.n === 0
        })
        const { rows } = await pool.query(
            `select id::int, count(*)::int as n, min(outcome::text) as outcome from ${queue.schema}.job_history group by id`,
        )
        const finalized = new Set(rows.map(({ id }) => id))
        const acknowledged = producers.flatMap(({ ids }) => ids)
        expect(acknowledged.filter((id) => !finalized.has(id))).toEqual([])
        expect(rows.filter(({ n, outcome }) => n !== 1 || outcome !== "succeeded")).toEqual([])
        expect(queue.events.some(({ eventType }) => eventType === "daemon-stop")).toBe(false)
    }, 90_000)
})
