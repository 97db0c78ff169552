import { describe, expect, it } from "vitest"
import { costOf, FEW_PAGES, STATEMENTS_ABOUT_JOBS } from "../support/cost.ts"
import { define } from "../support/define.ts"
import { openSession } from "../support/transaction.ts"
import { hasServer, makeQueue } from "../support/with-schema.ts"

const NUM_GONE = 50_000

describe.skipIf(!hasServer())("jobs that are gone, but that an old snapshot still sees,", () => {
    it.each(Object.entries(STATEMENTS_ABOUT_JOBS))(
        "are in the way of no %s",
        async (_name, { state, run }) => {
            const queue = await makeQueue()
            const { schema } = queue
            await define(queue.config, () => undefined).defer({ payload: {} })
            await queue.sql.query(
                `update ${schema}.job set id = ${NUM_GONE + 1}, position = ${NUM_GONE + 1}, token = 1, attempt = 1, state = '${state}'`,
            )
            await queue.sql.query(
                `insert into ${schema}.job (id, position, definition_id, created_at, due_at, expires_at, num_attempts, state, payload)
            select n, n, definition_id, created_at, due_at, expires_at, 0, 'ready', payload
            from ${schema}.job, generate_series(1, ${NUM_GONE}) as n`,
            )
            const reader = await openSession()
            await reader.query("begin isolation level repeatable read")
            await reader.query(`select count(*) from ${schema}.job`)
            await queue.sql.query(`delete from ${schema}.job where id <= ${NUM_GONE}`)
            // It can remove nothing, but it tells the planner that hardly a row is left.
            await queue.sql.query(`vacuum analyze ${schema}.job`)

            const { numPages, numRows, plan } = await costOf(queue, run, await queue.jobs())
            expect(numPages, plan).toBeLessThan(FEW_PAGES)
            expect(numRows).toBeLessThanOrEqual(1)
            await reader.query("commit")
        },
    )
})
