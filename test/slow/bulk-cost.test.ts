import { describe, expect, it } from "vitest"
import { costOf, STATEMENTS_ABOUT_JOBS } from "../support/cost.ts"
import { define } from "../support/define.ts"
import { hasServer, makeQueue } from "../support/with-schema.ts"

const NUM_JOBS = 500

/** The walks through indexes from their roots, and the rows, that one job may cost. */
const MAX_PAGES = 40

/** All but the one that looks for those with dependents: where there are none, to read a small table once costs less. */
const STATEMENTS = Object.entries(STATEMENTS_ABOUT_JOBS).filter(([name]) => name !== "find-settled-jobs")

/** What the server knows of the table when the statement runs. */
const STATISTICS: Record<string, { numOthers: number; gather: string }> = {
    "which has been analyzed": { numOthers: 100_000, gather: "vacuum analyze" },
    // As every table is until its first minute is over. The planner then takes what it can join by for selective.
    "which was never analyzed": { numOthers: 20_000, gather: "vacuum" },
}

describe.skipIf(!hasServer()).each(Object.entries(STATISTICS))(
    "a statement about many jobs, among others that are delayed, in a table %s,",
    (_statistics, { numOthers, gather }) => {
        it.each(STATEMENTS)("looks each up by itself: %s", async (_name, { state, run }) => {
            const queue = await makeQueue()
            const { sql, schema } = queue
            await sql.query(`alter table ${schema}.job set (autovacuum_enabled = false)`)
            const payloads = Array.from({ length: NUM_JOBS }, () => ({ payload: {} }))
            const ids = await define(queue.config, () => undefined).deferMany(payloads)
            await sql.query(`update ${schema}.job set token = 1, attempt = 1, state = '${state}'`)
            const jobs = await queue.jobs()
            await sql.query(
                `insert into ${schema}.job (id, position, definition_id, created_at, due_at, expires_at, num_attempts, state, payload)
                    select -n, -n, definition_id, created_at, due_at + interval '1 h', expires_at, 0, 'delayed', payload
                    from ${schema}.job, generate_series(1, ${numOthers}) as n where id = $1`,
                [ids[0]],
            )
            await sql.query(`${gather} ${schema}.job`)
            const { numPages, plan } = await costOf(queue, run, jobs)
            expect(numPages, plan).toBeLessThan(MAX_PAGES * NUM_JOBS)
            // A list as long as the statement's, gone through for every job, would cost their square.
            expect(plan).toMatch(/"Index Cond":"\(id = ANY \(ARRAY\[\w+\.id\]\)\)"/)
            expect(plan).not.toMatch(/\(id = \w+\.id\) AND \(id = ANY/)
            // So would a join by what jobs have in common.
            expect(plan).not.toMatch(/(Merge|Hash) Cond":"[^"]*token/)
        })
    },
)
