import { quoteSchema } from "../../src/db/identifier.ts"
import { cancelJobs } from "../../src/statements/cancel-jobs.ts"
import { claimJobs } from "../../src/statements/claim-jobs.ts"
import { finalizeJobs } from "../../src/statements/finalize-jobs.ts"
import { findSettledJobs } from "../../src/statements/find-settled-jobs.ts"
import { holdJobs } from "../../src/statements/hold-jobs.ts"
import { moveJobs, openLease } from "../../src/statements/leases.ts"
import type { ClaimKey, Query } from "../../src/statements/query.ts"
import { retryJobs } from "../../src/statements/retry-jobs.ts"
import { returnJobs } from "../../src/statements/return-jobs.ts"
import { snoozeJobs } from "../../src/statements/snooze-jobs.ts"
import type { Queue } from "./with-schema.ts"

/** A page holds some dozens of jobs, so that to walk over many thousands of them would read many hundreds. */
export const FEW_PAGES = 250

/** What a statement about jobs is run with. Before they are claimed, no other ready job stands before the first. */
export interface Given extends Query {
    jobs: readonly ClaimKey[]
    definitionID: number
    leaseID: number
}

/** Statements about jobs: they are ready before a claim, and running under token 1 before the others. */
export const STATEMENTS_ABOUT_JOBS: Record<
    string,
    { state: "ready" | "running"; run: (given: Given) => Promise<unknown> }
> = {
    "claim-jobs": {
        state: "ready",
        run: ({ definitionID, leaseID, jobs, ...query }) => {
            const cursor = (jobs[0]?.id ?? 0) - 1
            const lanes = [{ definitionID, leaseID, priority: 0, cursor }]
            return claimJobs({ ...query, lanes, limit: Math.max(10, jobs.length) })
        },
    },
    "finalize-jobs": {
        state: "running",
        run: ({ jobs, ...query }) => {
            const ends = jobs.map((job) => ({ ...job, result: null, error: null }))
            const how = { outcome: "succeeded", reason: null, worker: "worker", ring: 0 } as const
            return finalizeJobs({ ...query, ...how, jobs: ends })
        },
    },
    "find-settled-jobs": {
        state: "running",
        run: (given) => findSettledJobs({ ...given, outcome: "succeeded" }),
    },
    "retry-jobs": {
        state: "running",
        run: ({ jobs, ...query }) => {
            const error = JSON.stringify({ message: "failed" })
            return retryJobs({ ...query, jobs: jobs.map((job) => ({ ...job, delayMs: 0, error })) })
        },
    },
    "snooze-jobs": {
        state: "running",
        run: ({ jobs, ...query }) =>
            snoozeJobs({ ...query, jobs: jobs.map((job) => ({ ...job, delayMs: 1_000 })) }),
    },
    "hold-jobs": {
        state: "running",
        run: ({ jobs, ...query }) =>
            holdJobs({ ...query, jobs: jobs.map((job) => ({ ...job, delayMs: 1_000, isKeyed: false })) }),
    },
    "return-jobs": { state: "running", run: returnJobs },
    "cancel-jobs": {
        state: "running",
        run: ({ jobs, ...query }) =>
            cancelJobs({ ...query, ids: jobs.map(({ id }) => id), reason: null, lockMs: null }),
    },
    "move-jobs": { state: "running", run: moveJobs },
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

/** Runs a statement about jobs of one definition, given as rows, for good, and tells what it cost. */
export async function costOf(
    queue: Queue,
    execute: (given: Given) => Promise<unknown>,
    jobs: readonly Record<string, unknown>[],
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
    await execute({
        jobs: jobs.map(({ id }) => ({ id: Number(id), token: 1 })),
        definitionID: Number(jobs[0]?.definition_id),
        leaseID,
        run,
        schema,
    })
    return cost
}
