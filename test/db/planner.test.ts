import { describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { runOnClient } from "../../src/db/database.ts"
import type { Run } from "../../src/db/driver.ts"
import { quoteSchema } from "../../src/db/identifier.ts"
import { JobDefinition } from "../../src/index.ts"
import { claimJobs } from "../../src/statements/claim-jobs.ts"
import { claimLimitedJobs } from "../../src/statements/claim-limited-jobs.ts"
import { openLease } from "../../src/statements/leases.ts"
import { openSession } from "../support/transaction.ts"
import { hasServer, makeQueue, type Queue, type Sql } from "../support/with-schema.ts"

/** What makes the planner choose what it would not. */
const PERSUASIONS = [
    [],
    ["enable_hashjoin"],
    ["enable_nestloop"],
    ["enable_hashjoin", "enable_mergejoin"],
    ["enable_nestloop", "enable_mergejoin"],
    ["enable_indexscan", "enable_bitmapscan"],
    ["enable_sort", "enable_material", "enable_memoize"],
]

/** Statistics that say what is not so. */
const ESTIMATES = [0, 1, 1e9]

async function makeLanes(queue: Queue, options: { releaseIntervalMs?: number }) {
    const names = ["a", "b", "c"]
    for (const name of names) {
        const job = new JobDefinition({
            config: queue.config,
            name,
            ...options,
            jobFunction: () => undefined,
        })
        await job.deferMany(Array.from({ length: 400 }, () => ({ payload: {} })))
    }
    const { rows } = await queue.sql.query(`select id from ${queue.schema}.job_definition order by id`)
    const { run, schema } = coreOf(queue.config)
    const leaseID = await openLease({ run, schema, worker: "worker", intervalMs: 60_000 })
    return rows.map(({ id }) => ({ definitionID: Number(id), leaseID, priority: 0, cursor: 0 }))
}

async function mislead({ sql, schema }: Queue, estimate: number): Promise<void> {
    await sql.query(
        `update pg_class set reltuples = $1::real, relpages = greatest(1, ($1::real / 100)::int)
        where relnamespace = $2::regnamespace and relname like 'job%' and relkind in ('r', 'i')`,
        [estimate, schema],
    )
}

async function persuade(session: Sql, settings: readonly string[]): Promise<Run> {
    await session.query("reset all")
    for (const setting of settings) await session.query(`set ${setting} = off`)
    return (text, values) => runOnClient(session, text, values)
}

describe.skipIf(!hasServer())("a claim brings no more jobs than it asks for, and each once,", () => {
    it("whatever plan the planner chooses, and whatever it believes", async () => {
        const queue = await makeQueue()
        const lanes = await makeLanes(queue, {})
        const session = await openSession()
        const schema = quoteSchema(queue.schemaName)
        const ids = new Set<number>()
        let numClaimed = 0
        for (const estimate of ESTIMATES) {
            await mislead(queue, estimate)
            for (const settings of PERSUASIONS) {
                const run = await persuade(session, settings)
                for (const limit of [1, 7, 40]) {
                    const jobs = await claimJobs({ run, schema, lanes, limit })
                    expect(jobs.length).toBe(limit)
                    for (const { id } of jobs) ids.add(id)
                    numClaimed += jobs.length
                }
            }
        }
        expect(ids.size).toBe(numClaimed)
        expect(numClaimed).toBe(ESTIMATES.length * PERSUASIONS.length * 48)
    })

    it("of limited definitions too", async () => {
        const queue = await makeQueue()
        const definitions = await makeLanes(queue, { releaseIntervalMs: 60_000 })
        const session = await openSession()
        const schema = quoteSchema(queue.schemaName)
        for (const estimate of ESTIMATES) {
            await mislead(queue, estimate)
            for (const settings of PERSUASIONS) {
                await queue.sql.query(
                    `update ${queue.schema}.job_definition set next_release_at = '-infinity'`,
                )
                const run = await persuade(session, settings)
                const jobs = await claimLimitedJobs({ run, schema, definitions, limit: 2 })
                expect(new Set(jobs.map(({ definitionID }) => definitionID)).size).toBe(2)
                expect(jobs).toHaveLength(2)
                const rest = await claimLimitedJobs({ run, schema, definitions, limit: 2 })
                expect(rest).toHaveLength(1)
            }
        }
    })
})
