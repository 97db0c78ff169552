import type pg from "pg"
import { expect, it } from "vitest"
import { Config, type Event, Orchestrator, type Pool } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { makeRole } from "../support/role.ts"
import { eventually, hasServer, makePool, makeQueue } from "../support/with-schema.ts"

/** A pool that lets `act` happen right before the first statement that contains `part` is answered. */
function pausesOnce(pool: pg.Pool, part: string, act: () => Promise<void>): Pool {
    let hasActed = false
    return {
        on: (event, listener) => pool.on(event, listener),
        connect: async () => {
            const client = await pool.connect()
            return {
                query: async (query) => {
                    const result = await client.query(query as unknown as string)
                    if (!hasActed && query.text.includes(part)) {
                        hasActed = true
                        await act()
                    }
                    return result
                },
                on: (event, listener) => client.on(event, listener),
                off: (event, listener) => client.off(event, listener),
                release: (destroy) => client.release(destroy),
            }
        },
    }
}

it.skipIf(!hasServer())(
    "an orchestrator does not empty a slot of history that another one emptied and opened again",
    async () => {
        const queue = await makeQueue()
        const { sql, schema } = queue
        const job = define(queue.config, () => undefined)
        queue.worker()
        const finalizedOne = async () => {
            const id = await job.defer({ payload: {} })
            await eventually(async () => (await queue.history()).some((row) => Number(row.id) === id))
            return id
        }
        await finalizedOne()
        // The slot is sealed, and old enough to be emptied.
        await sql.query(`update ${schema}.history_ring set slot = 1`)
        await sql.query(
            `update ${schema}.history_slot set sealed_at = now() - interval '1 day' where slot = 0`,
        )
        let keptID = 0
        const slow = pausesOnce(makePool(), "count-history-slot", async () => {
            await sql.query(`truncate ${schema}.job_history_0`)
            await sql.query(`update ${schema}.history_ring set slot = 0, opened_at = now()`)
            keptID = await finalizedOne()
        })
        const orchestrator = new Orchestrator({
            config: new Config({ pool: slow, schema: queue.schemaName }),
            cleanIntervalMs: 1_000_000,
            finalizedJobSweepThresholdMs: 3_600_000,
        })
        await eventually(() => keptID > 0)
        orchestrator.stop()
        await orchestrator.join()
        expect((await queue.history()).map(({ id }) => Number(id))).toEqual([keptID])
    },
)

it.skipIf(!hasServer())("a role that may not truncate removes finalized jobs all the same", async () => {
    const queue = await makeQueue()
    const { sql, schema, schemaName } = queue
    const role = await makeRole({
        grants: [
            `usage on schema ${schema}`,
            `select, insert, update, delete on all tables in schema ${schema}`,
        ],
    })
    const job = define(queue.config, () => undefined)
    queue.worker({ concurrency: 100 })
    await job.deferMany(Array.from({ length: 7_000 }, () => ({ payload: {} })))
    await eventually(async () => {
        const { rows } = await sql.query(`select count(*) = 7000 as is_done from ${schema}.job_history`)
        return rows[0]?.is_done === true
    })
    const events: Event[] = []
    const orchestrator = new Orchestrator({
        config: new Config({ pool: makePool({ role }), schema: schemaName }),
        cleanIntervalMs: 20,
        finalizedJobSweepThresholdMs: 1,
        eventHandler: ({ event }) => void events.push(event),
    })
    const swept = await eventually(() =>
        events.find(({ eventType }) => eventType === "orchestrator-finalized-job-sweep"),
    )
    orchestrator.stop()
    await orchestrator.join()
    expect(swept).toMatchObject({ numJobs: 7_000 })
    expect(await queue.history()).toEqual([])
    expect(events.filter(({ eventType }) => eventType === "daemon-error")).toEqual([])
})
