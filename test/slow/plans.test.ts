import { describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { jobSequence, quoteSchema } from "../../src/db/identifier.ts"
import { Config } from "../../src/index.ts"
import { selectCancelRequests } from "../../src/statements/cancel-jobs.ts"
import { claimJobs } from "../../src/statements/claim-jobs.ts"
import { finalizeJobs } from "../../src/statements/finalize-jobs.ts"
import { openLease } from "../../src/statements/leases.ts"
import { lookAround } from "../../src/statements/look-around.ts"
import { costIn, costOf, FEW_PAGES, STATEMENTS_ABOUT_JOBS } from "../support/cost.ts"
import { define } from "../support/define.ts"
import { hasServer, hasSessions, makePool, makeQueue, type Queue } from "../support/with-schema.ts"

const MANY = 200_000

/** Puts so many jobs in front of the one that there is, and that many behind it, like it. */
async function fill({ sql, schemaName }: Queue, num: number): Promise<void> {
    const schema = quoteSchema(schemaName)
    await sql.query(`alter table ${schema}.job set (autovacuum_enabled = false)`)
    await sql.query(`update ${schema}.job set id = ${num + 1}, position = ${num + 1}`)
    await sql.query(
        `insert into ${schema}.job (id, position, definition_id, created_at, due_at, expires_at, num_attempts, state, payload)
        select n, n, definition_id, created_at, due_at, expires_at, 0, 'ready', payload
        from ${schema}.job, generate_series(1, ${2 * num + 1}) as n
        where n <> ${num + 1}`,
    )
    await sql.query(`select setval(${jobSequence(schema)}, ${2 * num + 1})`)
}

/** What the table is like when a statement about one job among others runs. */
const SHAPES: Record<string, (queue: Queue) => Promise<unknown>> = {
    "almost empty": ({ sql, schema }) => sql.query(`analyze ${schema}.job`),
    large: async (queue) => {
        await fill(queue, MANY)
        await queue.sql.query(`vacuum analyze ${queue.schema}.job`)
    },
    "large, while statistics say that it is empty": async (queue) => {
        await queue.sql.query(`vacuum analyze ${queue.schema}.job`)
        await fill(queue, MANY)
    },
    "large, while statistics say that all jobs but a few are running": async (queue) => {
        const { sql, schema } = queue
        await fill(queue, MANY)
        await sql.query(`update ${schema}.job set state = 'running' where id % 1000 > 0`)
        await sql.query(`vacuum analyze ${schema}.job`)
        await sql.query(`update ${schema}.job set state = 'ready' where id % 1000 > 0`)
    },
    "almost empty after a bulk delete, while statistics say that it is large": async (queue) => {
        const { sql, schema } = queue
        await fill(queue, MANY)
        await sql.query(`vacuum analyze ${schema}.job`)
        await sql.query(`delete from ${schema}.job where id <= 2 * ${MANY}`)
    },
}

describe.skipIf(!hasServer())("statements about one job touch few pages where the table is", () => {
    it.each(Object.entries(SHAPES))("%s", async (_name, shape) => {
        const queue = await makeQueue()
        const { sql, schema } = queue
        await define(queue.config, () => undefined).defer({ payload: {} })
        await shape(queue)
        const { rows } = await sql.query(`select * from ${schema}.job order by id desc limit 1`)
        const [job] = rows
        for (const [name, { state, run }] of Object.entries(STATEMENTS_ABOUT_JOBS)) {
            // The statement before may have ended it.
            await sql.query(
                `insert into ${schema}.job
                    (id, position, definition_id, created_at, due_at, expires_at, token, attempt, num_attempts, state, payload)
                values ($1, $1, $2, now(), now(), now() + interval '1 h', 1, 1, 0, $3, '{}')
                on conflict (id) do update set state = $3, token = 1, attempt = 1, lease_id = null`,
                [job?.id, job?.definition_id, state],
            )
            const { numPages, plan } = await costOf(queue, run, rows)
            expect(numPages, `${name}: ${plan}`).toBeLessThan(FEW_PAGES)
        }
    })
})

describe.skipIf(!hasSessions())("plans that were made when the table was empty, and kept,", () => {
    it("touch few pages when it has become large", async () => {
        const queue = await makeQueue()
        const { sql, schema } = queue
        const pool = makePool({ max: 1, idleTimeoutMillis: 0 })
        await pool.query("set plan_cache_mode = force_generic_plan")
        const config = new Config({ pool, schema: queue.schemaName })
        const job = define(config, () => undefined)
        await job.defer({ payload: {} })
        const { run, schema: quoted } = coreOf(config)
        const leaseID = await openLease({ run, schema: quoted, worker: "worker", intervalMs: 60_000 })
        const definitionID = Number((await queue.jobs())[0]?.definition_id)
        const lanes = [{ definitionID, leaseID, priority: 0, cursor: 0 }]
        await claimJobs({ run, schema: quoted, lanes, limit: 10 })
        const about = { channel: "_default", knownIDs: [definitionID], orphanGraceMs: 1_000, limitedIDs: [] }
        await lookAround({ run, schema: quoted, lanes, ...about })
        const how = { outcome: "succeeded", reason: null, worker: "worker", ring: 0 } as const
        await finalizeJobs({ run, schema: quoted, jobs: [], ...how })
        await selectCancelRequests({ run, schema: quoted, leaseIDs: [leaseID] })
        await sql.query(`update ${schema}.job set state = 'ready'`)
        await fill(queue, MANY)
        await sql.query(`update ${schema}.job set state = 'running', lease_id = $1 where id > ${MANY + 1}`, [
            leaseID,
        ])

        const { rows } = await pool.query("select name, statement from pg_prepared_statements")
        const pagesOf = async (statement: string, values: string) => {
            const name = rows.find((row) => row.statement.includes(`-- cuckmq: ${statement}`))?.name
            const explained = await pool.query(
                `explain (analyze, buffers, format json) execute ${name} (${values})`,
            )
            return costIn(explained.rows).numPages
        }
        const one = `'{${definitionID}}'`
        expect(await pagesOf("claim-jobs", `${one}, '{${leaseID}}', '{0}', '{}', 0, 10`)).toBeLessThan(
            FEW_PAGES,
        )
        expect(
            await pagesOf("look-around", `${one}, '{0}', '{}', '{}', '_default', ${one}, 1000`),
        ).toBeLessThan(FEW_PAGES)
        const { rows: some } = await sql.query(`select id from ${schema}.job order by id limit 2`)
        const ends = `'{${some.map(({ id }) => id).join()}}', '{0,0}'`
        expect(
            await pagesOf("finalize-jobs", `${ends}, null, null, 'succeeded', null, 'worker'`),
        ).toBeLessThan(FEW_PAGES)
        expect(await pagesOf("select-cancel-requests", `'{${leaseID}}'`)).toBeLessThan(FEW_PAGES)
        expect(await pagesOf("insert-ready-job", `${definitionID}, '{}', 'channel', 'hint'`)).toBeLessThan(
            FEW_PAGES,
        )
    })
})
