import { quoteSchema } from "../../src/db/identifier.ts"
import { claimJobs } from "../../src/statements/claim-jobs.ts"
import { finalizeJobs } from "../../src/statements/finalize-jobs.ts"
import { findSettledJobs } from "../../src/statements/find-settled-jobs.ts"
import { moveJobs, openLease } from "../../src/statements/leases.ts"
import type { Query } from "../../src/statements/query.ts"
import { retryJobs } from "../../src/statements/retry-jobs.ts"
import { returnJobs } from "../../src/statements/return-jobs.ts"
import { snoozeJobs } from "../../src/statements/snooze-jobs.ts"
import type { Queue } from "./with-schema.ts"

/** A page holds some dozens of jobs, so that to walk over many thousands of them would read many hundreds. */
export const FEW_PAGES = 250

export interface Given extends Query {
    id: number
    definitionID: number
    leaseID: number
}

/** Statements about one job: it is ready before a claim, and running under token 1 before the others. */
export const STATEMENTS_ABOUT_ONE_JOB: Record<
    string,
    { state: "ready" | "running"; run: (given: Given) => Promise<unknown> }
> = {
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
    "snooze-jobs": {
        state: "running",
        run: ({ id, run, schema }) => snoozeJobs({ run, schema, jobs: [{ id, token: 1, delayMs: 1_000 }] }),
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

/** What a statement cost the server: how many pages it touched, and how many rows it returned or wrote. */
export interface Cost {
    numPages: number
    numRows: number
    plan: string
}

/** The cost in the rows of an `explain (analyze, buffers, format json)`. */
export function costIn([row]: readonly Record<string, unknown>[]): Cost {
    const plan = (row?.["QUERY PLAN"] as { Plan: Record<string, number> }[] | undefined)?.[0]?.Plan
    return {
        numPages: Number(plan?.["Shared Hit Blocks"]) + Number(plan?.["Shared Read Blocks"]),
        numRows: Number(plan?.["Actual Rows"]),
        plan: JSON.stringify(plan),
    }
}

/** Runs a statement about one job, for good, and tells what it cost. */
export async function costOf(
    queue: Queue,
    execute: (given: Given) => Promise<unknown>,
    job: Record<string, unknown> | undefined,
): Promise<Cost> {
    const schema = quoteSchema(queue.schemaName)
    const rowsOf = async (sql: string, values: unknown[]) => (await queue.sql.query(sql, values)).rows
    const leaseID = await openLease({
        run: async (sql, values) => (await rowsOf(sql, values)).map(({ id }) => [String(id)]),
        schema,
        worker: "worker",
        intervalMs: 60_000,
    })
    const cost = { numPages: 0, numRows: 0, plan: "" }
    const run = async (sql: string, values: unknown[]) => {
        const { numPages, numRows, plan } = costIn(
            await rowsOf(`explain (analyze, buffers, format json) ${sql}`, values),
        )
        cost.numPages += numPages
        cost.numRows += numRows
        cost.plan += plan
        return []
    }
    await execute({ id: Number(job?.id), definitionID: Number(job?.definition_id), leaseID, run, schema })
    return cost
}
