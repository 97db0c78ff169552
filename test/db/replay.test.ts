import { describe, expect, it } from "vitest"
import { Config } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalizedJob, finalizedJobs, rowID } from "../support/finalized.ts"
import { losesOneAnswer, waitsBefore } from "../support/flaky-pool.ts"
import { makeGate } from "../support/gate.ts"
import { openSession, untilWaitingForLock } from "../support/transaction.ts"
import { eventually, hasServer, makePool, makeQueue, type Queue } from "../support/with-schema.ts"

/** A definition whose jobs fail until `mend` was called. */
function defineBroken(queue: Queue, options: { name?: string; numAttempts?: number } = {}) {
    let isMended = false
    const job = define(
        queue.config,
        () => {
            if (!isMended) throw new Error("broken")
            return "mended"
        },
        options,
    )
    return {
        job,
        mend: () => {
            isMended = true
        },
    }
}

/** A queue in which `num` jobs have failed, and whose worker has ended. */
async function makeFailed(num: number, options: { name?: string; numAttempts?: number } = {}) {
    const queue = await makeQueue()
    const { job, mend } = defineBroken(queue, options)
    const worker = queue.worker({ concurrency: 10 })
    const ids = await job.deferMany(Array.from({ length: num }, (_, n) => ({ payload: { n } })))
    await finalizedJobs(queue, ids)
    worker.stop()
    await worker.join()
    return { queue, job, mend, ids, id: ids[0] ?? 0, jobs: queue.config.jobs }
}

/** Milliseconds between the instants at which live jobs are due, in the order of their ids. */
async function dueDistances(queue: Queue): Promise<number[]> {
    const { rows } = await queue.sql.query(
        `select date_part('epoch', due_at - lag(due_at) over (order by due_at)) * 1000.0 as ms
        from ${queue.schema}.job order by due_at`,
    )
    return rows.slice(1).map(({ ms }) => Math.round(Number(ms)))
}

describe("a dead letter that is replayed", () => {
    it("becomes a job under its old id, with all attempts before it, and is no dead letter any more", async () => {
        const { queue, mend, id, jobs } = await makeFailed(1, { numAttempts: 1 })
        const [failed] = await queue.history()
        expect(await jobs.replay(id)).toBe(true)
        expect(await queue.history()).toEqual([])
        expect(await queue.jobs()).toMatchObject([
            {
                id: rowID(id),
                state: "ready",
                attempt: 0,
                num_attempts: 1,
                token: Number(failed?.token) + 1,
                created_at: failed?.created_at,
                payload: failed?.payload,
                errors: failed?.errors,
            },
        ])
        mend()
        queue.worker()
        expect(await finalizedJob(queue, id)).toMatchObject({
            outcome: "succeeded",
            result: "mended",
            attempt: 1,
            errors: [{ message: "broken" }, { message: "broken" }],
        })
        expect(await jobs.replay(id)).toBe(false)
        expect((await jobs.deadLetters()).deadLetters).toEqual([])
    })

    it("has the attempts and the time that its definition has by now", async () => {
        const { queue, id } = await makeFailed(1)
        const elsewhere = queue.otherConfig()
        const mended = define(elsewhere, () => "ran", { numAttempts: 7, timeoutIntervalMs: 60_000 })
        await mended.defer({ payload: {} })
        await elsewhere.jobs.replay(id)
        const { rows } = await queue.sql.query(
            `select num_attempts, round(date_part('epoch', expires_at - due_at)::numeric) as seconds
            from ${queue.schema}.job where id = $1`,
            [id],
        )
        expect(rows).toMatchObject([{ num_attempts: 7 }])
        expect(Number(rows[0]?.seconds)).toBe(60)
    })

    it("is not there when it is none: unknown, live, or succeeded", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        const liveID = await job.defer({ payload: {}, delayMs: 3_600_000 })
        queue.worker()
        const doneID = await job.defer({ payload: {} })
        await finalizedJob(queue, doneID)
        const { jobs } = queue.config
        expect(await Promise.all([1_000_000, liveID, doneID].map((id) => jobs.replay(id)))).toEqual([
            false,
            false,
            false,
        ])
        expect(await queue.jobs()).toHaveLength(1)
    })

    it("wakes a worker that sleeps", async () => {
        const queue = await makeQueue()
        const { job, mend } = defineBroken(queue)
        queue.worker({ processIntervalMs: 60_000 })
        const id = await job.defer({ payload: {} })
        await finalizedJob(queue, id)
        mend()
        await queue.config.jobs.replay(id)
        await eventually(async () => (await finalizedJob(queue, id)).outcome === "succeeded", 5_000)
    })

    it("blocks who comes to depend on it, and leaves those that failed with it", async () => {
        const queue = await makeQueue()
        const { job, mend } = defineBroken(queue)
        const dependent = define(queue.config, () => "ran", { name: "dependent" })
        const worker = queue.worker()
        const id = await job.defer({ payload: {}, delayMs: 20 })
        const unmetID = await dependent.defer({ payload: {}, dependencies: [id] })
        await finalizedJobs(queue, [id, unmetID])
        worker.stop()
        await worker.join()
        const { jobs } = queue.config
        expect(await jobs.replayMany({})).toBe(1)
        const laterID = await dependent.defer({ payload: {}, dependencies: [id] })
        expect(await queue.jobs()).toMatchObject([
            { id: rowID(id), has_dependents: true },
            { id: rowID(laterID), state: "blocked" },
        ])
        mend()
        worker.start()
        expect(await finalizedJob(queue, laterID)).toMatchObject({ outcome: "succeeded" })
        expect(await finalizedJob(queue, unmetID)).toMatchObject({ reason: "unmet-dependencies" })
        expect(await jobs.replayMany({ reason: "unmet-dependencies" })).toBe(1)
        await eventually(async () => (await finalizedJob(queue, unmetID)).outcome === "succeeded")
    })

    it("becomes one job, however many replay it at the same time", async () => {
        const { queue, ids } = await makeFailed(40)
        const configs = [queue.config, queue.otherConfig(), queue.otherConfig()]
        const counts = await Promise.all(
            configs.flatMap(({ jobs }) => [
                jobs.replayMany({ ratePerSecond: 1_000 }),
                jobs.replayMany({ limit: 30 }),
                ...ids.map(async (id) => Number(await jobs.replay(id))),
            ]),
        )
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(40)
        expect((await queue.jobs()).map(({ id }) => Number(id))).toEqual(ids)
        expect(await queue.history()).toEqual([])
    })

    it.skipIf(!hasServer())("is left to who came first, and replayed if that was in vain", async () => {
        const { queue, ids, jobs } = await makeFailed(2)
        const [first = 0, second = 0] = ids
        const session = await openSession()
        await session.query("begin")
        await session.query(`delete from ${queue.schema}.job_history where id = $1`, [first])
        const lost = jobs.replay(first)
        await untilWaitingForLock(queue)
        await session.query("commit")
        expect(await lost).toBe(false)
        await session.query("begin")
        await session.query(`delete from ${queue.schema}.job_history where id = $1`, [second])
        const won = jobs.replay(second)
        await untilWaitingForLock(queue)
        await session.query("rollback")
        expect(await won).toBe(true)
        expect((await queue.jobs()).map(({ id }) => Number(id))).toEqual([second])
    })

    it.skipIf(!hasServer())("is not ended by the worker that repeats how it failed", async () => {
        const queue = await makeQueue()
        const pool = losesOneAnswer(makePool(), "-- cuckmq: finalize-jobs")
        const config = new Config({ pool, schema: queue.schemaName })
        const gate = makeGate()
        let numRuns = 0
        const job = define(config, async () => {
            numRuns++
            if (numRuns > 1) await gate.opened
            throw new Error("broken")
        })
        queue.worker({ config })
        const id = await job.defer({ payload: {} })
        await eventually(() => pool.hasLost)
        expect(await queue.config.jobs.replay(id)).toBe(true)
        // The worker has heard nothing, and repeats its statement while the job is live again.
        await eventually(() => numRuns === 2)
        expect(await queue.jobs()).toMatchObject([{ state: "running", attempt: 1, token: 3 }])
        gate.open()
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "failed", token: 3 })
    })

    it.skipIf(!hasServer())("is cancelled by who looked for it just before", async () => {
        const { queue, id, jobs } = await makeFailed(1)
        let isReplayed = false
        const pool = waitsBefore(makePool(), "-- cuckmq: find-finalized-jobs", async () => {
            if (!isReplayed) isReplayed = await jobs.replay(id)
        })
        const { jobs: elsewhere } = new Config({ pool, schema: queue.schemaName })
        expect(await elsewhere.cancelMany([id, id + 1])).toEqual(["cancelled", "not-found"])
        expect(isReplayed).toBe(true)
        expect(await finalizedJob(queue, id)).toMatchObject({ reason: "cancelled" })
        expect(await queue.jobs()).toEqual([])
        expect(await elsewhere.cancel(id)).toBe("finalized")
    })

    it("has not begun, so that it holds up no other of its group", async () => {
        const queue = await makeQueue()
        let isMended = false
        const job = define(
            queue.config,
            () => {
                if (!isMended) throw new Error("broken")
            },
            {
                group: { key: () => "group", ordered: true },
                concurrencyLimit: { max: 1, key: ({ n }) => `key ${n}` },
            },
        )
        queue.worker({ concurrency: 5 })
        const ids = await job.deferMany([{ payload: { n: 1 } }, { payload: { n: 2 } }])
        await finalizedJobs(queue, ids)
        isMended = true
        expect(await queue.config.jobs.replayMany({})).toBe(2)
        await eventually(async () =>
            (await finalizedJobs(queue, ids)).every(({ outcome }) => outcome === "succeeded"),
        )
    })

    it.skipIf(!hasServer())("is gone when the sweep came first", async () => {
        const { queue, id, jobs } = await makeFailed(1)
        const { rows } = await queue.sql.query(`select slot from ${queue.schema}.job_history`)
        const sweeper = await openSession()
        await sweeper.query("begin")
        await sweeper.query(`truncate ${queue.schema}.job_history_${rows[0]?.slot}`)
        const replayed = jobs.replay(id)
        await untilWaitingForLock(queue)
        await sweeper.query("commit")
        expect(await replayed).toBe(false)
        expect(await queue.jobs()).toEqual([])
    })
})

describe("replaying many", () => {
    it("takes the oldest first, up to a limit, and goes on with the others", async () => {
        const { queue, ids, jobs } = await makeFailed(5)
        for (const [index, id] of ids.entries())
            await queue.sql.query(
                `update ${queue.schema}.job_history set finalized_at = clock_timestamp() - $2::integer * interval '1 min' where id = $1`,
                [id, 5 - index],
            )
        expect(await jobs.replayMany({ limit: 2 })).toBe(2)
        expect((await queue.jobs()).map(({ id }) => Number(id))).toEqual(ids.slice(0, 2))
        expect(await jobs.replayMany({ limit: 0 })).toBe(0)
        expect(await jobs.replayMany({ failedBefore: new Date(Date.now() - 90_000) })).toBe(2)
        expect(await jobs.replayMany({})).toBe(1)
        expect(await jobs.replayMany({})).toBe(0)
    })

    it("makes jobs due at the rate given, without a process that waits", async () => {
        const { queue, job, mend, jobs } = await makeFailed(5)
        expect(await jobs.replayMany({ ratePerSecond: 2 })).toBe(5)
        expect(await dueDistances(queue)).toEqual([500, 500, 500, 500])
        expect((await queue.jobs()).filter(({ state }) => state === "delayed")).toHaveLength(4)
        await queue.sql.query(`update ${queue.schema}.job set due_at = clock_timestamp()`)
        mend()
        queue.worker({ concurrency: 5 })
        await eventually(async () => (await queue.jobs()).length === 0)
        expect(await finalizedJob(queue, await job.defer({ payload: {} }))).toMatchObject({ attempt: 1 })
    })

    it("holds the rate of a definition over calls, also at the same time, and over statements", async () => {
        const { queue, jobs } = await makeFailed(9)
        const other = queue.otherConfig().jobs
        const counts = await Promise.all([
            jobs.replayMany({ ratePerSecond: 10, limit: 3 }),
            other.replayMany({ ratePerSecond: 10, limit: 3 }),
        ])
        const rest = 9 - counts.reduce((sum, count) => sum + count, 0)
        expect(await jobs.replayMany({ ratePerSecond: 10 })).toBe(rest)
        const distances = await dueDistances(queue)
        expect(distances).toHaveLength(8)
        expect(distances.filter((ms) => ms < 99)).toEqual([])
    })

    it("keeps the rates of definitions apart", async () => {
        const queue = await makeQueue()
        const [one, two] = [defineBroken(queue).job, defineBroken(queue, { name: "two" }).job]
        const worker = queue.worker({ concurrency: 4 })
        const ids = [
            ...(await one.deferMany([{ payload: {} }, { payload: {} }])),
            ...(await two.deferMany([{ payload: {} }, { payload: {} }])),
        ]
        await finalizedJobs(queue, ids)
        worker.stop()
        await worker.join()
        await queue.config.jobs.replayMany({ ratePerSecond: 0.01 })
        const states = (await queue.jobs()).map(({ state }) => state)
        expect(states.sort()).toEqual(["delayed", "delayed", "ready", "ready"])
    })

    it("leaves what fails again meanwhile", async () => {
        const queue = await makeQueue()
        const { job } = defineBroken(queue)
        queue.worker({ concurrency: 10 })
        const ids = await job.deferMany(Array.from({ length: 30 }, () => ({ payload: {} })))
        await finalizedJobs(queue, ids)
        expect(await queue.config.jobs.replayMany({})).toBe(30)
        await finalizedJobs(queue, ids)
    })
})
