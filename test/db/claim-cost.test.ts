import { describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { claimJobs } from "../../src/statements/claim-jobs.ts"
import { openLease } from "../../src/statements/leases.ts"
import { define } from "../support/define.ts"
import { openSession } from "../support/transaction.ts"
import { eventually, hasServer, makeQueue, type Queue } from "../support/with-schema.ts"

const NUM_OTHERS = 100_000

/** How many pages a claim of one job reads, after the position given. */
async function pagesOfClaim(queue: Queue, cursor = 0): Promise<number> {
    const { rows } = await queue.sql.query(`select id from ${queue.schema}.job_definition where name = 'job'`)
    const definitionID = Number(rows[0]?.id)
    const { run, schema } = coreOf(queue.config)
    const leaseID = await openLease({ run, schema, worker: "worker", intervalMs: 60_000 })
    let plan = ""
    await claimJobs({
        schema,
        lanes: [{ definitionID, leaseID, priority: 0, cursor }],
        limit: 1,
        run: async (text, values) => {
            const explained = await queue.sql.query(
                `explain (analyze, buffers, costs off, timing off) ${text}`,
                values,
            )
            plan = explained.rows.map((row) => row["QUERY PLAN"]).join("\n")
            return []
        },
    })
    expect(plan).toMatch(/^Update on job .*actual rows=1\b/)
    // The first line of buffers is of the whole statement.
    const [, hit = "0", read = "0"] = plan.match(/Buffers: shared(?: hit=(\d+))?(?: read=(\d+))?/) ?? []
    return Number(hit) + Number(read)
}

/** Copies of one job, in a state that no claim is for. */
async function addOthers(queue: Queue, state: string, dueIn: string): Promise<void> {
    await queue.sql.query(
        `insert into ${queue.schema}.job
            (id, position, definition_id, created_at, due_at, expires_at, num_attempts, num_blockers, state, payload)
        select -n, -n, definition_id, created_at, due_at + interval '${dueIn}', expires_at, 0, 1, '${state}', payload
        from ${queue.schema}.job cross join generate_series(1, ${NUM_OTHERS}) as n
        where job.id = (select min(id) from ${queue.schema}.job where id > 0)`,
    )
}

describe.skipIf(!hasServer())("what a claim reads", () => {
    it.each([
        ["blocked", "0"],
        ["delayed", "1 hour"],
        ["unmet", "0"],
    ])("does not grow with the jobs that stand %s before the one that it takes", async (state, dueIn) => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        await job.deferMany([{ payload: {} }, { payload: {} }])
        const numBefore = await pagesOfClaim(queue)
        await addOthers(queue, state, dueIn)
        expect(await pagesOfClaim(queue)).toBeLessThan(numBefore + 30)
    })

    it("does not grow with the remains of jobs behind its cursor that no vacuum may remove", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        const worker = queue.worker({ concurrency: 200 })
        const holder = await openSession()
        await holder.query("begin isolation level repeatable read")
        await holder.query("select pg_current_xact_id()")
        const ids = await job.deferMany(Array.from({ length: 5_000 }, () => ({ payload: {} })))
        await eventually(async () => (await queue.jobs()).length === 0)
        worker.stop()
        await worker.join()
        const cursor = ids.at(-1) ?? 0
        await define(queue.otherConfig(), () => undefined).deferMany([
            { payload: {}, delayMs: 3_600_000 },
            { payload: {}, delayMs: 3_600_000 },
        ])
        await queue.sql.query(`update ${queue.schema}.job set state = 'ready'`)
        const numAfterCursor = await pagesOfClaim(queue, cursor)
        expect(numAfterCursor).toBeLessThan(60)
        // What it would read without the cursor, and does when that goes back to the start now and then.
        expect(await pagesOfClaim(queue, 0)).toBeGreaterThan(2 * numAfterCursor)
        await holder.query("rollback")
    })
})
