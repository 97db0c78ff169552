import { describe, expect, it } from "vitest"
import { quoteSchema } from "../../src/db/identifier.ts"
import { claimJobs } from "../../src/statements/claim-jobs.ts"
import { costOf, FEW_PAGES } from "../support/cost.ts"
import { define } from "../support/define.ts"
import { openSession } from "../support/transaction.ts"
import { eventually, hasServer, makeQueue, type Queue } from "../support/with-schema.ts"

const NUM_DEFINITIONS = 500

/** Definitions with two lanes each beside that of priority zero. The first of them has the only job. */
async function addLanes({ sql, schemaName, config }: Queue): Promise<void> {
    const schema = quoteSchema(schemaName)
    await define(config, () => undefined).defer({ payload: {}, priority: 5 })
    await sql.query(
        `insert into ${schema}.job_definition (name, channel, num_attempts, timeout_interval_ms, lock_interval_ms, release_interval_ms)
        select 'definition ' || n, '_default', 0, 1, 1, 0 from generate_series(2, ${NUM_DEFINITIONS}) as n`,
    )
    await sql.query(
        `insert into ${schema}.job_priority (definition_id, priority)
        select id, lane from ${schema}.job_definition, unnest(array[-5, 5]) as lane on conflict do nothing`,
    )
}

/** What the planner believes of the table of lanes. */
const BELIEFS: Record<string, (queue: Queue) => Promise<unknown>> = {
    "that were never counted": addLanes,
    "that were counted": async (queue) => {
        await addLanes(queue)
        await queue.sql.query(`analyze ${queue.schema}.job_priority`)
    },
    "that were few when they were counted": async (queue) => {
        const { sql, schema } = queue
        await sql.query(`alter table ${schema}.job_priority set (autovacuum_enabled = false)`)
        await sql.query(`insert into ${schema}.job_priority (definition_id, priority) values (0, 1)`)
        await sql.query(`analyze ${schema}.job_priority`)
        await addLanes(queue)
    },
}

describe.skipIf(!hasServer())("a claim from 1,500 lanes", () => {
    it.each(Object.entries(BELIEFS))("%s, looks each up by itself", async (_name, prepare) => {
        const queue = await makeQueue()
        await prepare(queue)
        const { sql, schema } = queue
        const definitions = (await sql.query(`select id from ${schema}.job_definition order by id`)).rows
        const claim = async ({ leaseID, ...query }: Parameters<Parameters<typeof costOf>[1]>[0]) => {
            const known = definitions.map(({ id }) => ({ definitionID: Number(id), leaseID, cursor: 0 }))
            const lanes = [0, -5].flatMap((priority) => known.map((lane) => ({ ...lane, priority })))
            return claimJobs({ ...query, lanes, limit: 10 })
        }
        const { numPages, numRows, plan } = await costOf(queue, claim, await queue.jobs())
        expect(numRows, plan).toBe(1)
        // Each with each would be half a million.
        const numCompared = [...plan.matchAll(/"Rows Removed by Join Filter":(\d+)/g)].map(([, num]) =>
            Number(num),
        )
        expect(Math.max(0, ...numCompared), plan).toBeLessThan(20 * NUM_DEFINITIONS)
        expect(numPages, plan).toBeLessThan(4 * 3 * NUM_DEFINITIONS)
    })
})

describe.skipIf(!hasServer())("what is left of jobs of a smaller number, and no vacuum may remove,", () => {
    it("is in the way of no claim that knows how far it came", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        const worker = queue.worker({ concurrency: 200 })
        const holder = await openSession()
        await holder.query("begin isolation level repeatable read")
        await holder.query("select pg_current_xact_id()")
        const ids = await job.deferMany(Array.from({ length: 6_000 }, () => ({ payload: {}, priority: -1 })))
        await eventually(async () => (await queue.jobs()).length === 0)
        worker.stop()
        await worker.join()
        await job.deferMany([{ payload: {} }, { payload: {} }, { payload: {} }])
        const jobs = await queue.jobs()
        const costFrom = (cursor: number) =>
            costOf(
                queue,
                ({ definitionID, leaseID, ...query }) => {
                    const lane = { definitionID, leaseID, cursor: 0 }
                    const lanes = [
                        { ...lane, priority: 0 },
                        { ...lane, priority: -1, cursor },
                    ]
                    const settledPosition = cursor
                    return claimJobs({ ...query, lanes, settledPosition, limit: 1 })
                },
                jobs,
            )
        // What a session reads of the catalogs when it runs a statement first is none of its cost.
        await costFrom(ids.at(-1) ?? 0)
        const after = await costFrom(ids.at(-1) ?? 0)
        expect(after.numRows).toBe(1)
        expect(after.numPages, after.plan).toBeLessThan(FEW_PAGES)
        // The remains are on more than 100 pages. Under load, a session reads up to 20 of the catalogs at any time.
        expect((await costFrom(0)).numPages).toBeGreaterThan(after.numPages + 60)
        await holder.query("rollback")
    })
})
