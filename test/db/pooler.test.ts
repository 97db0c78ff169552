import pg from "pg"
import { describe, expect, inject, it, onTestFinished } from "vitest"
import { define } from "../support/define.ts"
import { finalized, finalizedJob } from "../support/finalized.ts"
import { NUM_SERVER_CONNECTIONS } from "../support/pgbouncer.ts"
import { inTransaction } from "../support/transaction.ts"
import { eventually, makeQueue, type Queue, queueURL } from "../support/with-schema.ts"

/** PgBouncer's own console. */
async function openConsole(): Promise<pg.Client> {
    const url = new URL(queueURL())
    url.pathname = "/pgbouncer"
    const client = new pg.Client(url.href)
    await client.connect()
    onTestFinished(() => client.end())
    return client
}

/** How many connections to PgBouncer the queue has besides those of its pool. */
async function numOutsidePool(queue: Queue, console: pg.Client): Promise<number> {
    const { rows } = await console.query("show clients")
    const name = new URL(queueURL()).pathname.slice(1)
    const numClients = rows.filter((row) => row.database === name).length
    return numClients - (queue.pool as unknown as pg.Pool).totalCount
}

/** Runs a query on each of the connections to the server, which must be free. */
async function onEachServerConnection(text: string): Promise<Record<string, unknown>[]> {
    const clients = Array.from({ length: NUM_SERVER_CONNECTIONS }, () => new pg.Client(queueURL()))
    const answers = await Promise.all(
        clients.map(async (client) => {
            await client.connect()
            await client.query("begin")
            return client.query(`select pg_backend_pid() as pid, ${text}`)
        }),
    )
    for (const client of clients) {
        await client.query("commit")
        await client.end()
    }
    const rows = answers.flatMap((answer) => answer.rows)
    expect(new Set(rows.map(({ pid }) => pid)).size).toBe(NUM_SERVER_CONNECTIONS)
    return rows
}

describe.runIf(inject("leg") === "pgbouncer")("a pooler that gives connections out by transaction", () => {
    it("is found not to pass notifications on, and no connection waits for them", async () => {
        const queue = await makeQueue()
        const console = await openConsole()
        define(queue.config, () => undefined)
        queue.worker({ processIntervalMs: 50 })
        await eventually(async () => (await numOutsidePool(queue, console)) === 1)
        // It has none of the connections to the server: all of them can be had at once.
        await onEachServerConnection("1")
        await eventually(async () => (await numOutsidePool(queue, console)) === 0)
        const elsewhere = define(queue.otherConfig(), () => undefined)
        const id = await elsewhere.defer({ payload: {} })
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded", attempt: 1 })
        expect(queue.events.filter(({ eventType }) => eventType === "daemon-error")).toEqual([])
    })

    it("is left no connection that listens to what a queue says", async () => {
        const queue = await makeQueue()
        const console = await openConsole()
        queue.worker()
        await eventually(async () => (await numOutsidePool(queue, console)) === 1)
        const rows = await onEachServerConnection("array(select pg_listening_channels()) as channels")
        const channels = rows.flatMap((row) => row.channels as string[])
        expect(channels.filter((channel) => /^cuckmq_[0-9a-f]{32}$/.test(channel))).toEqual([])
    })

    it("is left no setting, no prepared statement and no transaction", async () => {
        const queue = await makeQueue()
        const job = define(
            queue.config,
            (_payload, { attempt }) => {
                if (attempt === 1) throw new Error("first")
            },
            { numAttempts: 1 },
        )
        const worker = queue.worker({ concurrency: 5 })
        const orchestrator = queue.orchestrator({
            cleanIntervalMs: 20,
            finalizedJobSweepThresholdMs: 100_000,
        })
        const requiredID = await job.defer({ payload: {} })
        await job.defer({ payload: {}, dependencies: [requiredID], delayMs: 20 })
        await inTransaction(queue, (client) => job.deferMany([{ payload: {} }, { payload: {} }], { client }))
        await finalized(queue, 4)
        for (const daemon of [worker, orchestrator]) {
            daemon.stop()
            await daemon.join()
        }
        const rows = await onEachServerConnection(
            `current_setting('lock_timeout') as lock_timeout, current_setting('search_path') as search_path,
            (select count(*)::int from pg_prepared_statements) as num_prepared`,
        )
        for (const row of rows)
            expect(row).toMatchObject({ lock_timeout: "0", search_path: '"$user", public', num_prepared: 0 })
    })
})
