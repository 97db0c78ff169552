import { describe, expect, inject, it } from "vitest"
import { Config } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalized, finalizedJob, rowID } from "../support/finalized.ts"
import { makeRole } from "../support/role.ts"
import { openSession, untilWaitingForLock } from "../support/transaction.ts"
import { eventually, hasServer, makePool, makeQueue, type Queue } from "../support/with-schema.ts"

function numSwept({ events }: Queue): number {
    return events.reduce(
        (sum, event) => sum + (event.eventType === "orchestrator-finalized-job-sweep" ? event.numJobs : 0),
        0,
    )
}

async function isHistoryEmpty(queue: Queue): Promise<boolean> {
    return (await queue.history()).length === 0
}

describe("the sweep of history", () => {
    it("keeps finalized jobs until the threshold, and removes them soon after it", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, ({ fails }) => {
            if (fails === true) throw new Error("fails")
        })
        queue.worker()
        await job.deferMany([{ payload: {} }, { payload: { fails: true } }, { payload: {} }])
        await finalized(queue, 3)
        queue.orchestrator({
            cleanIntervalMs: 10,
            finalizedJobSweepThresholdMs: 800,
            failedJobSweepThresholdMs: 800,
        })
        const youngest = `select extract(epoch from clock_timestamp() - max(finalized_at)) * 1000 as age from ${queue.schema}.job_history`
        let ageMs = 0
        await eventually(async () => {
            const { age } = (await queue.sql.query(youngest)).rows[0] ?? {}
            if (age === null) return true
            ageMs = Number(age)
            return false
        })
        // Seen last at most a probe before it went.
        expect(ageMs).toBeGreaterThan(600)
        await eventually(() => numSwept(queue) === 3)
    })

    it("leaves what is not old enough yet", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        queue.worker()
        const id = await job.defer({ payload: {} })
        await finalizedJob(queue, id)
        queue.orchestrator({ cleanIntervalMs: 10, heartbeatIntervalMs: 10 })
        const numHeartbeats = () =>
            queue.events.filter(({ eventType }) => eventType === "orchestrator-heartbeat").length
        await eventually(() => numHeartbeats() > 20)
        expect(await queue.history()).toHaveLength(1)
        expect(numSwept(queue)).toBe(0)
    })

    it("leaves live jobs, and what they wait for", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        queue.worker()
        const delayedID = await job.defer({ payload: {}, delayMs: 3_600_000 })
        const blockedID = await job.defer({ payload: {}, dependencies: [delayedID] })
        await finalizedJob(queue, await job.defer({ payload: {} }))
        queue.orchestrator({ cleanIntervalMs: 10, finalizedJobSweepThresholdMs: 0 })
        await eventually(() => numSwept(queue) === 1)
        expect(await queue.jobs()).toMatchObject([
            { id: rowID(delayedID), state: "delayed" },
            { id: rowID(blockedID), state: "blocked", num_blockers: 1 },
        ])
    })

    it("goes round the ring of slots as long as jobs end, and misses none", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        queue.worker()
        queue.orchestrator({ cleanIntervalMs: 1, finalizedJobSweepThresholdMs: 20 })
        queue.orchestrator({ cleanIntervalMs: 1, finalizedJobSweepThresholdMs: 20 })
        const slots: number[] = []
        let numDeferred = 0
        while (slots.length < 15) {
            await job.deferMany([{ payload: {} }, { payload: {} }])
            numDeferred += 2
            await eventually(async () => (await queue.jobs()).length === 0)
            const [ring] = (await queue.sql.query(`select slot from ${queue.schema}.history_ring`)).rows
            if (slots.at(-1) !== Number(ring?.slot)) slots.push(Number(ring?.slot))
        }
        await eventually(() => isHistoryEmpty(queue))
        await eventually(() => numSwept(queue) >= numDeferred)
        expect(numSwept(queue)).toBe(numDeferred)
    })

    it("waits for a reader of a slot, while jobs go on to end", async ({ skip }) => {
        skip(!hasServer(), "PGlite has one session")
        skip(inject("leg") === "roles", "a role that may not truncate deletes, which waits for no reader")
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        queue.worker()
        await finalizedJob(queue, await job.defer({ payload: {} }))
        const session = await openSession()
        await session.query("begin")
        await session.query(`select * from ${queue.schema}.job_history_0`)
        queue.orchestrator({ cleanIntervalMs: 10, finalizedJobSweepThresholdMs: 100 })
        await untilWaitingForLock(queue)
        for (let n = 0; n < 5; n++) {
            await job.defer({ payload: {} })
            await eventually(async () => (await queue.jobs()).length === 0)
        }
        const { rows } = await queue.sql.query(`select 1 from ${queue.schema}.job_history_0`)
        expect(rows).toHaveLength(1)
        await session.query("commit")
        await eventually(() => isHistoryEmpty(queue))
        expect(queue.events.filter(({ eventType }) => eventType === "daemon-error")).toEqual([])
    })

    it.skipIf(!hasServer())("deletes row by row for a role that may not truncate", async () => {
        const queue = await makeQueue()
        const { schema } = queue
        const role = await makeRole({
            grants: [
                `usage on schema ${schema}`,
                `select, insert, update, delete on all tables in schema ${schema}`,
                `usage on all sequences in schema ${schema}`,
            ],
        })
        const config = new Config({
            pool: makePool({ role }),
            schema: queue.schemaName,
        })
        const job = define(config, () => undefined)
        const worker = queue.worker({ config, concurrency: 5 })
        await job.deferMany(Array.from({ length: 20 }, () => ({ payload: {} })))
        await finalized(queue, 20)
        const orchestrator = queue.orchestrator({
            config,
            cleanIntervalMs: 10,
            finalizedJobSweepThresholdMs: 50,
        })
        await eventually(() => isHistoryEmpty(queue))
        await eventually(() => numSwept(queue) === 20)
        for (const daemon of [worker, orchestrator]) {
            daemon.stop()
            await daemon.join()
        }
        expect(queue.events.filter(({ eventType }) => eventType === "daemon-error")).toEqual([])
    })
})
