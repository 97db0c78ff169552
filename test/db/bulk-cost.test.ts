import { describe, expect, it } from "vitest"
import { quoteSchema } from "../../src/db/identifier.ts"
import { claimJobs } from "../../src/statements/claim-jobs.ts"
import { finalizeJobs } from "../../src/statements/finalize-jobs.ts"
import { moveJobs, openLease } from "../../src/statements/leases.ts"
import type { ClaimKey, Query } from "../../src/statements/query.ts"
import { retryJobs } from "../../src/statements/retry-jobs.ts"
import { returnJobs } from "../../src/statements/return-jobs.ts"
import { snoozeJobs } from "../../src/statements/snooze-jobs.ts"
import { costIn } from "../support/cost.ts"
import { define } from "../support/define.ts"
import { hasServer, makeQueue } from "../support/with-schema.ts"

const NUM_JOBS = 500
const NUM_OTHERS = 100_000

/** The walks through indexes from their roots, and the rows, that one job may cost. */
const MAX_PAGES = 40

interface Given extends Query {
    jobs: readonly ClaimKey[]
    definitionID: number
    leaseID: number
}

const STATEMENTS: Record<string, { state: "ready" | "running"; run: (given: Given) => Promise<unknown> }> = {
    "claim-jobs": {
        state: "ready",
        run: ({ run, schema, definitionID, leaseID, jobs }) => {
            const lanes = [{ definitionID, leaseID, priority: 0, cursor: 0 }]
            return claimJobs({ run, schema, lanes, limit: jobs.length })
        },
    },
    "finalize-jobs": {
        state: "running",
        run: ({ jobs, ...query }) => {
            const ends = jobs.map((job) => ({ ...job, result: null, error: null }))
            return finalizeJobs({
                ...query,
                jobs: ends,
                outcome: "succeeded",
                reason: null,
                worker: "worker",
            })
        },
    },
    "retry-jobs": {
        state: "running",
        run: ({ jobs, ...query }) =>
            retryJobs({ ...query, jobs: jobs.map((job) => ({ ...job, delayMs: 0, error: "{}" })) }),
    },
    "snooze-jobs": {
        state: "running",
        run: ({ jobs, ...query }) =>
            snoozeJobs({ ...query, jobs: jobs.map((job) => ({ ...job, delayMs: 1_000 })) }),
    },
    "return-jobs": { state: "running", run: (given) => returnJobs(given) },
    "move-jobs": { state: "running", run: (given) => moveJobs(given) },
}

describe.skipIf(!hasServer())("a statement about many jobs, among others that are delayed,", () => {
    it.each(Object.entries(STATEMENTS))("looks each up by itself: %s", async (_name, { state, run }) => {
        const queue = await makeQueue()
        const { sql, schema } = queue
        const payloads = Array.from({ length: NUM_JOBS }, () => ({ payload: {} }))
        const ids = await define(queue.config, () => undefined).deferMany(payloads)
        await sql.query(`update ${schema}.job set token = 1, attempt = 1, state = '${state}'`)
        await sql.query(
            `insert into ${schema}.job (id, position, definition_id, created_at, due_at, expires_at, num_attempts, state, payload)
            select -n, -n, definition_id, created_at, due_at + interval '1 h', expires_at, 0, 'delayed', payload
            from ${schema}.job, generate_series(1, ${NUM_OTHERS}) as n where id = $1`,
            [ids[0]],
        )
        await sql.query(`vacuum analyze ${schema}.job`)
        const { rows } = await sql.query(`select definition_id from ${schema}.job limit 1`)
        const query = { run: async () => [], schema: quoteSchema(queue.schemaName) }
        const leaseID = await openLease({
            ...query,
            run: async (text, values) => (await sql.query(text, values)).rows.map(({ id }) => [String(id)]),
            worker: "worker",
            intervalMs: 60_000,
        })
        const plans: string[] = []
        await run({
            ...query,
            run: async (text, values) => {
                const explained = await sql.query(`explain (analyze, buffers, format json) ${text}`, values)
                const { numPages, plan } = costIn(explained.rows)
                expect(numPages, plan).toBeLessThan(MAX_PAGES * NUM_JOBS)
                plans.push(plan)
                return []
            },
            jobs: ids.map((id) => ({ id, token: 1 })),
            definitionID: Number(rows[0]?.definition_id),
            leaseID,
        })
        const [plan = ""] = plans
        // A list as long as the statement's, gone through for every job, would cost their square.
        expect(plan).toMatch(/"Index Cond":"\(id = ANY \(ARRAY\[\w+\.id\]\)\)"/)
        expect(plan).not.toMatch(/\(id = \w+\.id\) AND \(id = ANY/)
    })
})
