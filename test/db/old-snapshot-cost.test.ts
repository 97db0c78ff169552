import { describe, expect, it } from "vitest"
import { quoteSchema } from "../../src/db/identifier.ts"
import { claimJobs } from "../../src/statements/claim-jobs.ts"
import { finalizeJobs } from "../../src/statements/finalize-jobs.ts"
import { findSettledJobs } from "../../src/statements/find-settled-jobs.ts"
import { moveJobs, openLease } from "../../src/statements/leases.ts"
import type { Query } from "../../src/statements/query.ts"
import { retryJobs } from "../../src/statements/retry-jobs.ts"
import { returnJobs } from "../../src/statements/return-jobs.ts"
import { define } from "../support/define.ts"
import { openSession } from "../support/transaction.ts"
import { hasServer, makeQueue } from "../support/with-schema.ts"

const NUM_GONE = 50_000

/** A page holds some dozens of jobs, so that to walk over those that are gone would read many hundreds. */
const FEW_PAGES = 250

interface Given extends Query {
    /** The only job that is left. */
    id: number
    definitionID: number
    leaseID: number
}

/** Statements about that job: it is ready before a claim, and running under token 1 before the others. */
const STATEMENTS: Record<string, { state: "ready" | "running"; run: (given: Given) => Promise<unknown> }> = {
    "claim-jobs": {
        state: "ready",
        run: ({ definitionID, leaseID, id, ...query }) =>
            claimJobs({
                ...query,
                lanes: [{ definitionID, leaseID, priority: 0, cursor: id - 1 }],
                limit: 10,
            }),
    },
    "finalize-jobs": {
        state: "running",
        run: ({ id, run, schema }) => {
            const jobs = [{ id, token: 1, result: null, error: null }]
            return finalizeJobs({ run, schema, jobs, outcome: "succeeded", reason: null, worker: "worker" })
        },
    },
    "find-settled-jobs": {
        state: "running",
        run: ({ id, run, schema }) =>
            findSettledJobs({ run, schema, jobs: [{ id, token: 1 }], outcome: "succeeded" }),
    },
    "retry-jobs": {
        state: "running",
        run: ({ id, run, schema }) => {
            const error = JSON.stringify({ message: "failed" })
            return retryJobs({ run, schema, jobs: [{ id, token: 1, delayMs: 0, error }] })
        },
    },
    "return-jobs": {
        state: "running",
        run: ({ id, run, schema }) => returnJobs({ run, schema, jobs: [{ id, token: 1 }] }),
    },
    "move-jobs": {
        state: "running",
        run: ({ id, run, schema, leaseID }) => moveJobs({ run, schema, jobs: [{ id, token: 1 }], leaseID }),
    },
}

describe.skipIf(!hasServer())("jobs that are gone, but that an old snapshot still sees,", () => {
    it.each(Object.entries(STATEMENTS))("are in the way of no %s", async (_name, { state, run: execute }) => {
        const queue = await makeQueue()
        const schema = quoteSchema(queue.schemaName)
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

        const [job] = await queue.jobs()
        const text = async (sql: string, values: unknown[]) => (await queue.sql.query(sql, values)).rows
        const leaseID = await openLease({
            run: async (sql, values) => (await text(sql, values)).map(({ id }) => [String(id)]),
            schema,
            worker: "worker",
            intervalMs: 60_000,
        })
        let [numPages, numRows] = [0, 0]
        const run = async (sql: string, values: unknown[]) => {
            const [row] = await text(`explain (analyze, buffers, format json) ${sql}`, values)
            const plan = (row?.["QUERY PLAN"] as { Plan: Record<string, number> }[] | undefined)?.[0]?.Plan
            numPages += Number(plan?.["Shared Hit Blocks"]) + Number(plan?.["Shared Read Blocks"])
            numRows += Number(plan?.["Actual Rows"])
            return []
        }
        const about = { id: Number(job?.id), definitionID: Number(job?.definition_id), leaseID }
        await execute({ ...about, run, schema })
        expect(numPages).toBeLessThan(FEW_PAGES)
        expect(numRows).toBeLessThanOrEqual(1)
        await reader.query("commit")
    })
})
