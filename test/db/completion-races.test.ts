import { describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { Config, type Event, JobTimeoutError, LeaseLostError, ShutdownError } from "../../src/index.ts"
import { reclaimLapsed } from "../../src/recover.ts"
import { spawnWorker } from "../support/child-worker.ts"
import { aborted, define } from "../support/define.ts"
import { makeEffects } from "../support/effects.ts"
import { finalizedJob, finalizedJobs, rowID } from "../support/finalized.ts"
import { losesOneAnswer } from "../support/flaky-pool.ts"
import { makeGate } from "../support/gate.ts"
import { openSession, untilWaitingForLock } from "../support/transaction.ts"
import { eventually, hasServer, makePool, makeQueue, type Queue } from "../support/with-schema.ts"

async function makeEffectsQueue() {
    const queue = await makeQueue()
    return { queue, effects: await makeEffects(queue) }
}

/** Makes the leases of all workers lapse, and takes their jobs back. */
async function reclaimAll(queue: Queue): Promise<void> {
    await queue.sql.query(`update ${queue.schema}.lease set expires_at = clock_timestamp() - interval '1 s'`)
    await reclaimLapsed(coreOf(queue.config))
}

function typesOf(events: readonly Event[]): string[] {
    return events.map(({ eventType }) => eventType).filter((type) => !/^daemon-(st|error)/.test(type))
}

describe.skipIf(!hasServer())("a job whose completing transaction is open", () => {
    it.each(["commit", "rollback"])("and whose lease lapses has one effect after its %s", async (end) => {
        const { queue, effects } = await makeEffectsQueue()
        const [completed, reclaimed] = [makeGate(), makeGate()]
        const job = define(
            queue.config,
            async (_payload, { attempt, complete }) => {
                await effects.inTransaction(attempt, async (client) => {
                    await complete({ client, result: attempt })
                    completed.open()
                    if (attempt > 1) return
                    await reclaimed.opened
                    if (end === "rollback") throw new Error("rolled back")
                })
            },
            { numAttempts: 10 },
        )
        queue.worker({ name: "first", processIntervalMs: 60_000 })
        const jobID = await job.defer({ payload: {} })
        await completed.opened
        queue.worker({ name: "second", processIntervalMs: 20 })
        await reclaimAll(queue)
        expect(await queue.jobs()).toMatchObject([{ state: "running", token: 1 }])
        reclaimed.open()
        const row = await finalizedJob(queue, jobID)
        expect(row).toMatchObject({ outcome: "succeeded", result: row.attempt })
        expect(await queue.jobs()).toEqual([])
        expect(await effects.attempts()).toEqual([row.attempt])
        const started = queue.events.filter(({ eventType }) => eventType === "worker-job-dequeue")
        if (end === "commit") expect(started).toHaveLength(1)
        else expect(started.length).toBeGreaterThan(1)
    })

    it.each([
        ["succeeds once it commits", "commit", ["worker-job-dequeue", "worker-job-finalize-success"]],
        [
            "fails once it is rolled back",
            "rollback",
            ["worker-job-dequeue", "worker-job-error", "worker-job-finalize-failure"],
        ],
    ])("when the job function has returned %s, and is neither before", async (_, end, types) => {
        const { queue, effects } = await makeEffectsQueue()
        const session = await openSession()
        const job = define(queue.config, async (_payload, { attempt, complete }) => {
            await session.query("begin")
            await effects.write(session, attempt)
            await complete({ client: session })
        })
        queue.worker()
        const jobID = await job.defer({ payload: {} })
        await untilWaitingForLock(queue)
        await eventually(() => queue.events.some(({ eventType }) => eventType === "daemon-error"))
        expect(typesOf(queue.events)).toEqual(["worker-job-dequeue"])
        await session.query(end)
        await finalizedJob(queue, jobID)
        await eventually(() => typesOf(queue.events).length === types.length)
        expect(typesOf(queue.events)).toEqual(types)
        expect(await effects.attempts()).toEqual(end === "commit" ? [1] : [])
    })

    it("and which times out is a success if that commits after all", async () => {
        const { queue, effects } = await makeEffectsQueue()
        const job = define(
            queue.config,
            (_payload, { attempt, complete, signal }) =>
                effects.inTransaction(attempt, async (client) => {
                    await complete({ client })
                    await aborted(signal)
                    await untilWaitingForLock(queue)
                }),
            { timeoutIntervalMs: 300 },
        )
        queue.worker()
        const jobID = await job.defer({ payload: {} })
        expect(await finalizedJob(queue, jobID)).toMatchObject({ outcome: "succeeded", reason: null })
        await eventually(() => typesOf(queue.events).length === 2)
        expect(typesOf(queue.events)).toEqual(["worker-job-dequeue", "worker-job-finalize-success"])
        expect(await effects.attempts()).toEqual([1])
    })

    it("is left alone by an orchestrator that finds it timed out", async () => {
        const { queue, effects } = await makeEffectsQueue()
        const job = define(queue.config, (_payload, { attempt, complete }) =>
            effects.inTransaction(attempt, async (client) => {
                await queue.sql.query(
                    `update ${queue.schema}.job set expires_at = clock_timestamp() - interval '1 h'`,
                )
                await complete({ client })
                queue.orchestrator({ cleanIntervalMs: 10 })
                await untilWaitingForLock(queue)
            }),
        )
        queue.worker()
        const jobID = await job.defer({ payload: {} })
        expect(await finalizedJob(queue, jobID)).toMatchObject({ outcome: "succeeded" })
        await eventually(() => typesOf(queue.events).includes("worker-job-finalize-success"))
        expect(typesOf(queue.events).filter((type) => /timeout/.test(type))).toEqual([])
        expect(await effects.attempts()).toEqual([1])
    })

    it("is a success if that commits while its worker is stopped by force", async () => {
        const { queue, effects } = await makeEffectsQueue()
        const completed = makeGate()
        const job = define(queue.config, (_payload, { attempt, complete }) =>
            effects.inTransaction(attempt, async (client) => {
                await complete({ client })
                completed.open()
                await untilWaitingForLock(queue)
            }),
        )
        const worker = queue.worker()
        const jobID = await job.defer({ payload: {} })
        await completed.opened
        worker.stop()
        await worker.join({ graceMs: 0 })
        expect(await finalizedJob(queue, jobID)).toMatchObject({ outcome: "succeeded" })
        expect(await queue.jobs()).toEqual([])
        expect(typesOf(queue.events)).not.toContain("worker-job-return")
    })

    it("does not keep its worker from renewing leases after an answer was lost", async () => {
        const { queue, effects } = await makeEffectsQueue()
        const pool = losesOneAnswer(makePool(), "-- cuckmq: claim-limited-jobs")
        const config = new Config({ pool, schema: queue.schemaName })
        const [completed, end] = [makeGate(), makeGate()]
        const completing = define(
            config,
            (_payload, { attempt, complete }) =>
                effects.inTransaction(attempt, async (client) => {
                    await complete({ client })
                    completed.open()
                    await end.opened
                }),
            { lockIntervalMs: 2_000 },
        )
        const long = define(config, () => end.opened, { name: "long", lockIntervalMs: 2_000 })
        const limited = define(config, () => undefined, {
            name: "limited",
            releaseIntervalMs: 1,
            lockIntervalMs: 2_000,
        })
        queue.worker({ config, concurrency: 5 })
        const ids = [await completing.defer({ payload: {} }), await long.defer({ payload: {} })]
        await completed.opened
        ids.push(await limited.defer({ payload: {} }))
        await eventually(() => pool.hasLost)
        const renewed = `select count(*) as num from ${queue.schema}.job
            join ${queue.schema}.lease on lease.id = job.lease_id
            where job.id = any($1::bigint[]) and lease.expires_at > job.claimed_at + interval '6 s'`
        await eventually(async () => {
            const { rows } = await queue.sql.query(renewed, [`{${ids.slice(0, 2)}}`])
            return Number(rows[0]?.num) === 2
        })
        end.open()
        const rows = await finalizedJobs(queue, ids)
        expect(rows.map(({ outcome }) => outcome)).toEqual(["succeeded", "succeeded", "succeeded"])
        expect(rows.slice(0, 2).map(({ token }) => token)).toEqual([1, 1])
        expect(typesOf(queue.events)).not.toContain("worker-job-lease-lost")
    })
})

describe("a run that may not complete its job any more", () => {
    it("because another worker has it changes nothing", async () => {
        const { queue, effects } = await makeEffectsQueue()
        const [stale, current] = [makeGate(), makeGate()]
        const errors: unknown[] = []
        const job = define(
            queue.config,
            async (_payload, { attempt, token, complete }) => {
                expect(token).toBe(attempt)
                await (attempt === 1 ? stale : current).opened
                await effects.inTransaction(attempt, async (client) => {
                    await complete({ client, result: attempt }).catch((error: unknown) => {
                        errors.push(error)
                        throw error
                    })
                })
            },
            { numAttempts: 5 },
        )
        const staleWorker = queue.worker({ name: "stale", processIntervalMs: 60_000 })
        const jobID = await job.defer({ payload: {} })
        await eventually(async () => (await queue.jobs())[0]?.token === 1)
        await reclaimAll(queue)
        queue.worker({ name: "current" })
        const [claimed] = await eventually(
            async () => (await queue.jobs())[0]?.token === 2 && (await queue.jobs()),
        )
        stale.open()
        staleWorker.stop()
        await staleWorker.join()
        expect(errors).toEqual([expect.any(LeaseLostError)])
        expect(await queue.jobs()).toEqual([claimed])
        expect(await queue.history()).toEqual([])
        expect(await effects.attempts()).toEqual([])
        current.open()
        expect(await finalizedJob(queue, jobID)).toMatchObject({ result: 2, token: 2, worker: "current" })
        expect(await effects.attempts()).toEqual([2])
    })

    it("because it was taken back changes nothing, though nobody has claimed it since", async () => {
        const { queue, effects } = await makeEffectsQueue()
        let error: unknown
        const job = define(queue.config, async (_payload, { attempt, complete }) => {
            await reclaimAll(queue)
            await effects.inTransaction(attempt, (client) =>
                complete({ client }).catch((thrown: unknown) => {
                    error = thrown
                    throw thrown
                }),
            )
        })
        // One slot, so the job waits for its own first run to end.
        queue.worker()
        const jobID = await job.defer({ payload: {} })
        expect(await finalizedJob(queue, jobID)).toMatchObject({ outcome: "failed" })
        // Another daemon may have finalized the job before the run tried to.
        expect(await eventually(() => error)).toBeInstanceOf(LeaseLostError)
        expect(await effects.attempts()).toEqual([])
    })

    it("because it timed out, or was handed back, is told so", async () => {
        const { queue, effects } = await makeEffectsQueue()
        const errors: unknown[] = []
        const ended = makeGate()
        const job = define(
            queue.config,
            async ({ timesOut }, { attempt, complete, signal }) => {
                await aborted(signal)
                if (timesOut !== true)
                    await eventually(() => typesOf(queue.events).includes("worker-job-return"))
                const completed = effects.inTransaction(attempt, (client) => complete({ client }))
                await completed.catch((error: unknown) => errors.push(error))
                if (timesOut !== true) ended.open()
            },
            { timeoutIntervalMs: 300 },
        )
        const worker = queue.worker()
        const timedOutID = await job.defer({ payload: { timesOut: true } })
        expect(await finalizedJob(queue, timedOutID)).toMatchObject({ outcome: "failed", reason: "timeout" })
        await eventually(() => errors.length === 1)
        await queue.sql.query(`update ${queue.schema}.job_definition set timeout_interval_ms = 3600000`)
        const returnedID = await job.defer({ payload: {} })
        await eventually(async () => (await queue.jobs())[0]?.state === "running")
        worker.stop()
        await worker.join({ graceMs: 0 })
        await ended.opened
        expect(errors).toEqual([expect.any(JobTimeoutError), expect.any(ShutdownError)])
        expect(await queue.jobs()).toMatchObject([{ id: rowID(returnedID), state: "ready", attempt: 0 }])
        expect(await effects.attempts()).toEqual([])
    })
})

describe.skipIf(!hasServer())("a worker that is killed", () => {
    it.each([
        ["between its writes and the commit leaves them to the next attempt, once", "complete", [2]],
        ["after the commit leaves nothing to do", "commit", [1]],
    ] as const)("%s", async (_, handler, written) => {
        const { queue, effects } = await makeEffectsQueue()
        const job = define(
            queue.config,
            (_payload, { attempt, complete }) =>
                effects.inTransaction(attempt, (client) => complete({ client, result: "from the survivor" })),
            { numAttempts: 2, lockIntervalMs: 400 },
        )
        const jobID = await job.defer({ payload: {} })
        const child = spawnWorker(queue, handler)
        await eventually(() => child.attempts.length > 0)
        child.process.kill("SIGKILL")
        await child.ended
        queue.worker({ name: "survivor" })
        expect(await finalizedJob(queue, jobID)).toMatchObject({
            outcome: "succeeded",
            attempt: written[0],
            result: handler === "commit" ? "from the child" : "from the survivor",
        })
        expect(await queue.jobs()).toEqual([])
        expect(await effects.attempts()).toEqual(written)
    })
})
