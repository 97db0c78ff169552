import type { PoolClient } from "pg"
import { describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import type { JobContext } from "../../src/index.ts"
import { reclaimLapsed } from "../../src/recover.ts"
import { define } from "../support/define.ts"
import { untilWaitingForLock } from "../support/transaction.ts"
import { eventually, hasSessions, makePool, makeQueue, type Queue, type Sql } from "../support/with-schema.ts"

const NUM_BATCHES = 16
const NUM_JOBS = 10

/** How a run ends, and at which level its transaction is: chosen by its job and attempt, the same each time. */
const ENDS = ["commit", "commit", "throw first", "throw after", "roll back", "lapse", "leave open"] as const
const LEVELS = ["read committed", "repeatable read", "serializable"] as const

function pick<T>(list: readonly T[], seed: number): T {
    // A multiplicative hash: neighbours get what has nothing to do with each other.
    return list[Math.floor(((Math.imul(seed, 2654435761) >>> 0) / 2 ** 32) * list.length)] as T
}

/** Makes the lease of a job lapse under the worker that believes to hold it, and has its jobs taken back. */
async function letLapse({ config, sql, schema }: Queue, jobID: number): Promise<void> {
    await sql.query(
        `update ${schema}.lease set expires_at = clock_timestamp()
        where id = (select lease_id from ${schema}.job where id = $1)`,
        [jobID],
    )
    await reclaimLapsed(coreOf(config))
}

/** Writes and completes, and then ends in one of the ways. Returns whether the transaction is left open. */
async function run(queue: Queue, client: Sql, { jobID, attempt, complete }: JobContext): Promise<boolean> {
    const end = pick(ENDS, jobID * 31 + attempt)
    await client.query(`begin isolation level ${pick(LEVELS, jobID * 17 + attempt)}`)
    await client.query(`insert into ${queue.schema}.effect (job_id, attempt) values ($1, $2)`, [
        jobID,
        attempt,
    ])
    await complete({ client })
    if (end === "throw first") throw new Error(end)
    if (end === "leave open") return true
    if (end === "lapse") await letLapse(queue, jobID)
    await client.query(end === "roll back" ? "rollback" : "commit")
    if (end === "throw after") throw new Error(end)
    return false
}

/** Ends a transaction once a worker has found a job locked. */
async function endLater(queue: Queue, client: PoolClient, end: "commit" | "rollback"): Promise<void> {
    await untilWaitingForLock(queue)
    // A serializable one may be refused even then.
    await client.query(end).catch(() => client.query("rollback"))
    client.release()
}

// Job functions hold a connection each, and some wait for what the library does on another: a pooler has two in all.
describe.skipIf(!hasSessions())("jobs that complete themselves, and fail to in all kinds of ways", () => {
    it("have one effect each when they succeed, and none when they do not", async () => {
        const queue = await makeQueue({ pool: { max: 8 } })
        const { schema, sql } = queue
        const pool = makePool({ max: 20 })
        await sql.query(`create table ${schema}.effect (job_id bigint not null, attempt integer not null)`)
        await sql.query(`grant insert on ${schema}.effect to public`)
        const job = define(
            queue.config,
            async (_payload, context) => {
                const client = await pool.connect()
                let isLeftOpen = false
                try {
                    isLeftOpen = await run(queue, client as unknown as Sql, context)
                } catch (error) {
                    await client.query("rollback")
                    throw error
                } finally {
                    if (!isLeftOpen) client.release()
                    else void endLater(queue, client, context.jobID % 2 === 0 ? "commit" : "rollback")
                }
            },
            { numAttempts: 4, lockIntervalMs: 500 },
        )
        for (let n = 0; n < 3; n++) queue.worker({ concurrency: 4, processIntervalMs: 20 })
        queue.orchestrator({ cleanIntervalMs: 50 })
        let ids: number[] = []
        for (let n = 0; n < NUM_BATCHES; n++) {
            const dependencies = n % 4 === 0 ? [] : ids.slice(0, 2)
            ids = await job.deferMany(Array.from({ length: NUM_JOBS }, () => ({ payload: {}, dependencies })))
        }
        await eventually(async () => (await queue.jobs()).length === 0, 60_000)
        const { rows } = await sql.query(
            `select outcome, (select count(*) from ${schema}.effect where job_id = job.id) as num_effects
            from ${schema}.job_history as job`,
        )
        expect(rows).toHaveLength(NUM_BATCHES * NUM_JOBS)
        const succeeded = rows.filter(({ outcome }) => outcome === "succeeded")
        expect(succeeded.length).toBeGreaterThan(NUM_JOBS)
        for (const { outcome, num_effects } of rows)
            expect(Number(num_effects)).toBe(outcome === "succeeded" ? 1 : 0)
        const told = () =>
            queue.events.filter(({ eventType }) => eventType === "worker-job-finalize-success").length
        await eventually(() => told() >= succeeded.length)
        expect(told()).toBe(succeeded.length)
    }, 90_000)
})
