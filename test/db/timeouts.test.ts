import { setTimeout } from "node:timers/promises"
import type pg from "pg"
import { describe, expect, it } from "vitest"
import { Config, JobDefinition, JobTimeoutError } from "../../src/index.ts"
import { finalizedJob, finalizedJobs } from "../support/finalized.ts"
import { waitsBefore } from "../support/flaky-pool.ts"
import { makeGate } from "../support/gate.ts"
import { eventually, hasServer, makeQueue, type Queue } from "../support/with-schema.ts"

function define(
    queue: Queue,
    options: { timeoutIntervalMs: number; channel?: string; numAttempts?: number },
) {
    const definition = new JobDefinition({
        config: queue.config,
        name: "definition",
        retryDelayMs: 3_600_000,
        ...options,
        jobFunction: (_: object) => undefined,
    })
    definition.register()
    return definition
}

const TIMED_OUT = { outcome: "failed", reason: "timeout" }

describe("a job that waits for longer than timeoutIntervalMs", () => {
    it("is finalized by the orchestrator, which tells of it", async () => {
        const queue = await makeQueue()
        const definition = define(queue, { timeoutIntervalMs: 30 })
        const id = await definition.defer({ payload: {} })
        queue.orchestrator({ cleanIntervalMs: 20 })
        queue.orchestrator({ cleanIntervalMs: 20 })
        expect(await finalizedJob(queue, id)).toMatchObject({ ...TIMED_OUT, attempt: 0, claimed_at: null })
        const told = () =>
            queue.events.filter((event) => event.eventType === "orchestrator-job-finalize-failure-timeout")
        await eventually(() => told().length > 0)
        expect(told()).toMatchObject([{ jobID: id, jobName: "definition" }])
        expect(await queue.jobs()).toEqual([])
    })

    it("is not run by a worker that comes too late", async () => {
        const queue = await makeQueue()
        let numRuns = 0
        const definition = new JobDefinition({
            config: queue.config,
            name: "definition",
            timeoutIntervalMs: 1,
            jobFunction: (_: object) => void numRuns++,
        })
        definition.register()
        const id = await definition.defer({ payload: {} })
        await eventually(async () => {
            const { rows } = await queue.sql.query(
                `select expires_at < clock_timestamp() as is_past from ${queue.schema}.job`,
            )
            return rows[0]?.is_past === true
        })
        queue.worker()
        expect(await finalizedJob(queue, id)).toMatchObject(TIMED_OUT)
        expect(numRuns).toBe(0)
    })

    it("counts from when it is due, so a delay never kills it", async () => {
        const queue = await makeQueue()
        const definition = define(queue, { timeoutIntervalMs: 20 })
        const [far = 0, future = 0, now = 0] = await definition.deferMany([
            { payload: {}, delayMs: 3_600_000 },
            { payload: {}, runAt: new Date(Date.now() + 3_600_000) },
            { payload: {} },
        ])
        queue.orchestrator({ cleanIntervalMs: 10 })
        // The youngest of them times out, which the others would have done before it.
        await finalizedJob(queue, now)
        expect((await queue.jobs()).map((job) => Number(job.id))).toEqual([far, future])
        const { rows } = await queue.sql.query(
            `select date_part('epoch', expires_at - due_at) * 1000 as ms from ${queue.schema}.job`,
        )
        for (const row of rows) expect(Number(row.ms)).toBeCloseTo(20, 2)
    })

    it("is finalized while it is blocked by another", async () => {
        const queue = await makeQueue()
        const quick = define(queue, { timeoutIntervalMs: 30 })
        const slow = new JobDefinition({ config: queue.config, name: "slow", jobFunction: () => undefined })
        const required = await slow.defer({ payload: {}, delayMs: 3_600_000 })
        const id = await quick.defer({ payload: {}, dependencies: [required] })
        queue.orchestrator({ cleanIntervalMs: 20 })
        expect(await finalizedJob(queue, id)).toMatchObject(TIMED_OUT)
        expect((await queue.jobs()).map((job) => Number(job.id))).toEqual([required])
    })

    it("is finalized while it waits for its next attempt", async () => {
        const queue = await makeQueue()
        const definition = new JobDefinition({
            config: queue.config,
            name: "definition",
            numAttempts: 5,
            retryDelayMs: 3_600_000,
            jobFunction: (_: object) => {
                throw new Error("fails")
            },
        })
        definition.register()
        queue.worker()
        const id = await definition.defer({ payload: {} })
        await eventually(async () => (await queue.jobs())[0]?.state === "delayed")
        // As if its time were over by now.
        await queue.sql.query(`update ${queue.schema}.job set expires_at = clock_timestamp()`)
        queue.orchestrator({ cleanIntervalMs: 20 })
        expect(await finalizedJob(queue, id)).toMatchObject({ ...TIMED_OUT, attempt: 1 })
    })
})

/** Defers jobs until one is started before it has timed out, and returns its id. */
async function deferUntilStarted(
    queue: Queue,
    definition: JobDefinition<object, unknown>,
    startedIDs: readonly number[],
): Promise<number> {
    for (;;) {
        const id = await definition.defer({ payload: {} })
        const isFinalized = async () => (await queue.history()).some((row) => Number(row.id) === id)
        await eventually(async () => startedIDs.includes(id) || (await isFinalized()))
        if (startedIDs.includes(id)) return id
    }
}

describe("a job that runs for longer than timeoutIntervalMs", () => {
    it("has its signal aborted and its slot freed, even if the handler never settles", async () => {
        const queue = await makeQueue()
        let reason: unknown
        const startedIDs: number[] = []
        const stuck = new JobDefinition<object, unknown>({
            config: queue.config,
            name: "stuck",
            timeoutIntervalMs: 100,
            numAttempts: 3,
            jobFunction: (_, { jobID, signal }) => {
                startedIDs.push(jobID)
                signal.addEventListener("abort", () => {
                    reason = signal.reason
                })
                return new Promise<void>(() => undefined)
            },
        })
        stuck.register()
        const next = new JobDefinition({ config: queue.config, name: "next", jobFunction: () => "ran" })
        next.register()
        queue.worker({ concurrency: 1, processIntervalMs: 60_000 })
        const stuckID = await deferUntilStarted(queue, stuck, startedIDs)
        const nextID = await next.defer({ payload: {} })
        const [row, after] = await finalizedJobs(queue, [stuckID, nextID])
        expect(row).toMatchObject({ ...TIMED_OUT, attempt: 1, errors: [{ name: "JobTimeoutError" }] })
        expect(after).toMatchObject({ outcome: "succeeded", result: "ran" })
        expect(reason).toBeInstanceOf(JobTimeoutError)
        await expect
            .poll(() => queue.events)
            .toContainEqual({
                eventType: "worker-job-finalize-failure",
                jobID: stuckID,
                jobName: "stuck",
                reason: "timeout",
            })
    })

    it("stays timed out, whatever its handler does later", async () => {
        const queue = await makeQueue()
        for (const ending of ["returns", "throws"]) {
            const gate = makeGate()
            let hasEnded = false
            const startedIDs: number[] = []
            const slow = new JobDefinition<object, unknown>({
                config: queue.config,
                name: `slow that ${ending}`,
                timeoutIntervalMs: 100,
                numAttempts: 3,
                retryDelayMs: 0,
                jobFunction: async (_, { jobID }) => {
                    startedIDs.push(jobID)
                    await gate.opened
                    hasEnded = true
                    if (ending === "throws") throw new Error("too late")
                    return "too late"
                },
            })
            slow.register()
            const worker = queue.worker()
            const id = await deferUntilStarted(queue, slow, startedIDs)
            const row = await finalizedJob(queue, id)
            gate.open()
            await eventually(() => hasEnded)
            worker.stop()
            await worker.join()
            expect(row).toMatchObject({ ...TIMED_OUT, result: null, attempt: 1 })
            expect(await finalizedJob(queue, id)).toEqual(row)
            expect(await queue.jobs()).toEqual([])
        }
        const types = queue.events.map((event) => event.eventType)
        expect(types).not.toContain("worker-job-finalize-success")
        expect(types).not.toContain("worker-job-error")
    })

    it("keeps its deadline over a retry", async () => {
        const queue = await makeQueue()
        const failing = new JobDefinition({
            config: queue.config,
            name: "failing",
            numAttempts: 1,
            retryDelayMs: 3_600_000,
            jobFunction: (_: object) => {
                throw new Error("fails")
            },
        })
        failing.register()
        await failing.defer({ payload: {} })
        const [before] = await queue.jobs()
        queue.worker()
        await eventually(async () => (await queue.jobs())[0]?.state === "delayed")
        expect((await queue.jobs())[0]?.expires_at).toEqual(before?.expires_at)
    })
})

describe.runIf(hasServer())("a worker whose claim was slow", () => {
    it("does not time its job out before the time", async () => {
        const queue = await makeQueue()
        const pool = waitsBefore(queue.pool as pg.Pool, "-- cuckmq: claim-jobs", () => setTimeout(300))
        const config = new Config({ pool, schema: queue.schemaName })
        const definition = new JobDefinition({
            config,
            name: "definition",
            timeoutIntervalMs: 800,
            jobFunction: (_: object) => new Promise(() => undefined),
        })
        definition.register()
        queue.worker({ config })
        const id = await definition.defer({ payload: {} })
        expect(await finalizedJob(queue, id)).toMatchObject({ ...TIMED_OUT, attempt: 1 })
        const { rows } = await queue.sql.query(
            `select finalized_at - due_at >= interval '800 ms' as is_due from ${queue.schema}.job_history`,
        )
        expect(rows).toEqual([{ is_due: true }])
    })
})
