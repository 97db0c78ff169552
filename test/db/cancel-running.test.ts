import { describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { Config, JobCancelledError, JobDefinition } from "../../src/index.ts"
import { reclaimLapsed } from "../../src/recover.ts"
import { spawnWorker } from "../support/child-worker.ts"
import { aborted, define } from "../support/define.ts"
import { finalizedJob, finalizedJobs } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { inTransaction } from "../support/transaction.ts"
import { eventually, hasServer, hasSessions, makeQueue, type Queue } from "../support/with-schema.ts"

/** A queue with a job that runs until its signal is aborted, or for good. */
async function makeRunning(
    params: { processIntervalMs?: number; isDeaf?: boolean; numAttempts?: number } = {},
) {
    const queue = await makeQueue()
    const reasons: unknown[] = []
    let numStarted = 0
    const started = makeGate()
    const never = makeGate()
    const job = define(
        queue.config,
        async (_payload, { signal }) => {
            numStarted++
            started.open()
            reasons.push(await aborted(signal))
            if (params.isDeaf) await never.opened
            throw new Error("too late")
        },
        { numAttempts: params.numAttempts ?? 5 },
    )
    const worker = queue.worker({ name: "runner", processIntervalMs: params.processIntervalMs ?? 60_000 })
    const id = await job.defer({ payload: {} })
    await started.opened
    return { queue, job, worker, id, reasons, never, numStarted: () => numStarted }
}

/** What a process does that has no connection which listens, nor says anything to one. */
function cancelUnheard({ sql, schema }: Queue, id: number, reason: string): Promise<unknown> {
    return sql.query(
        `update ${schema}.job set cancelled_at = clock_timestamp(), cancel_reason = $2 where id = $1 and state = 'running'`,
        [id, reason],
    )
}

function eventsOf(queue: Queue, id: number): string[] {
    return queue.events
        .filter((event) => "jobID" in event && event.jobID === id)
        .map((event) => event.eventType)
}

describe("a job that runs", () => {
    it("has its signal aborted when it is cancelled, and ends then, whatever attempts are left", async () => {
        const { queue, id, reasons } = await makeRunning()
        expect(await queue.config.jobs.cancel(id, { reason: "not needed" })).toBe("cancelling")
        expect(await finalizedJob(queue, id)).toMatchObject({
            outcome: "failed",
            reason: "cancelled",
            attempt: 1,
            worker: "runner",
            errors: [
                {
                    attempt: 1,
                    name: "JobCancelledError",
                    message: `job ${id} was cancelled: not needed`,
                    worker: "runner",
                    stack: null,
                },
            ],
        })
        await eventually(() => eventsOf(queue, id).length === 2)
        expect(eventsOf(queue, id)).toEqual(["worker-job-dequeue", "worker-job-finalize-failure"])
        expect(queue.events).toContainEqual(
            expect.objectContaining({ eventType: "worker-job-finalize-failure", reason: "cancelled" }),
        )
        expect(reasons).toEqual([expect.any(JobCancelledError)])
        expect(reasons).toMatchObject([{ code: "CUCKMQ_JOB_CANCELLED", reason: "not needed" }])
        expect(await queue.config.jobs.cancel(id)).toBe("finalized")
    })

    it("gives its slot to another at once, though its job function goes on", async () => {
        const { queue, job, id, numStarted, never } = await makeRunning({ isDeaf: true })
        await job.defer({ payload: {} })
        await queue.config.jobs.cancel(id)
        await eventually(() => numStarted() === 2)
        never.open()
    })

    it("is cancelled from another process, which its worker hears", async ({ skip }) => {
        skip(!hasSessions(), "PGlite has one session, and PgBouncer passes no notifications on")
        const { queue, id } = await makeRunning()
        // Until it listens, it hears nothing: what is cancelled twice is told twice.
        await eventually(async () => (await queue.otherConfig().jobs.cancel(id)) === "finalized")
        expect(await finalizedJob(queue, id)).toMatchObject({ reason: "cancelled" })
    })

    it("is cancelled within a process interval where nothing is heard", async () => {
        const { queue, id, reasons } = await makeRunning({ processIntervalMs: 50 })
        await cancelUnheard(queue, id, "unheard")
        expect(await finalizedJob(queue, id)).toMatchObject({ reason: "cancelled" })
        expect(reasons).toMatchObject([{ reason: "unheard" }])
    })

    it("is cancelled while its worker stops, and takes on nothing else", async () => {
        const { queue, id, worker } = await makeRunning({ processIntervalMs: 50 })
        worker.stop()
        await cancelUnheard(queue, id, "stop")
        await worker.join()
        expect(await finalizedJob(queue, id)).toMatchObject({ reason: "cancelled" })
    })

    it("is cancelled by the commit of the caller's transaction, and not before", async () => {
        const { queue, id, reasons } = await makeRunning({ processIntervalMs: 50 })
        await inTransaction(queue, async (client) => {
            expect(await queue.config.jobs.cancel(id, { client, reason: "first" })).toBe("cancelling")
            throw new Error("undo")
        }).catch(() => undefined)
        expect(await queue.jobs()).toMatchObject([{ state: "running", cancelled_at: null }])
        await inTransaction(queue, (client) => queue.config.jobs.cancel(id, { client, reason: "second" }))
        await finalizedJob(queue, id)
        expect(reasons).toMatchObject([{ reason: "second" }])
    })

    it("keeps the first reason of several, and the jobs that depend on it fail", async () => {
        const { queue, job, id, worker, reasons } = await makeRunning()
        const dependent = await job.defer({ payload: {}, dependencies: [id] })
        await queue.sql.query(
            `update ${queue.schema}.job set cancelled_at = clock_timestamp(), cancel_reason = 'first' where id = $1`,
            [id],
        )
        expect(await queue.config.jobs.cancel(id, { reason: "second" })).toBe("cancelling")
        expect(await finalizedJobs(queue, [id, dependent])).toMatchObject([
            { reason: "cancelled" },
            { reason: "unmet-dependencies" },
        ])
        expect(reasons).toMatchObject([{ reason: "first" }])
        worker.stop()
    })

    it("cannot be completed any more by its job function once it is told", async () => {
        const queue = await makeQueue()
        const refused = makeGate()
        let thrown: unknown
        const job = define(queue.config, async (_payload, { signal, complete }) => {
            await aborted(signal)
            thrown = await complete({ client: queue.pool as never }).catch((error: unknown) => error)
            refused.open()
        })
        queue.worker()
        const id = await job.defer({ payload: {} })
        await eventually(async () => (await queue.config.jobs.cancel(id)) === "finalized")
        if (thrown !== undefined) expect(thrown).toBeInstanceOf(JobCancelledError)
    })
})

describe("a job that was claimed ahead", () => {
    it("does not start once it is cancelled", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        const ran = new Set<unknown>()
        const job = define(queue.config, async ({ isLast, number }) => {
            ran.add(number)
            if (isLast) await gate.opened
        })
        await job.deferMany(Array.from({ length: 300 }, (_, number) => ({ payload: { number } })))
        const [last = 0, ...rest] = await job.deferMany(
            Array.from({ length: 100 }, (_, i) => ({ payload: { number: 300 + i, isLast: i === 0 } })),
        )
        queue.worker({ processIntervalMs: 60_000 })
        await eventually(() => ran.has(300))
        const results = await queue.config.jobs.cancelMany(rest)
        expect(results).toContain("cancelling")
        for (const row of await finalizedJobs(queue, rest)) expect(row.reason).toBe("cancelled")
        gate.open()
        expect(await finalizedJob(queue, last)).toMatchObject({ outcome: "succeeded" })
        expect(ran.size).toBe(301)
    })
})

describe("a job whose worker is gone when it is to be cancelled", () => {
    it.skipIf(!hasServer())("ends as cancelled, and is not taken up by another worker", async () => {
        const queue = await makeQueue()
        const job = new JobDefinition({
            config: queue.config,
            name: "job",
            numAttempts: 5,
            lockIntervalMs: 400,
            jobFunction: () => "taken up",
        })
        const id = await job.defer({ payload: {} })
        const child = spawnWorker(queue, "hang")
        await eventually(() => child.attempts.length > 0)
        child.process.kill("SIGKILL")
        await child.ended
        expect(await queue.config.jobs.cancel(id, { reason: "why" })).toBe("cancelling")
        job.register()
        queue.worker()
        expect(await finalizedJob(queue, id)).toMatchObject({
            reason: "cancelled",
            attempt: 1,
            token: 1,
            worker: null,
            errors: [
                { name: "LeaseLostError" },
                { name: "JobCancelledError", message: `job ${id} was cancelled: why` },
            ],
        })
        expect(eventsOf(queue, id)).not.toContain("worker-job-dequeue")
    })

    it("may still succeed before anyone has noticed, and has succeeded then", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        const job = define(
            queue.config,
            async () => {
                await gate.opened
                return "late"
            },
            { numAttempts: 5 },
        )
        const before = define(queue.config, () => undefined, { name: "before" })
        queue.worker({ processIntervalMs: 60_000 })
        // When a job has been run, its first look is over, which would notice what becomes of the lease.
        await finalizedJob(queue, await before.defer({ payload: {} }))
        const id = await job.defer({ payload: {} })
        await eventually(async () => (await queue.jobs())[0]?.state === "running")
        await cancelUnheard(queue, id, "late")
        await queue.sql.query(
            `update ${queue.schema}.lease set expires_at = clock_timestamp() - interval '1 s'`,
        )
        await reclaimLapsed(coreOf(queue.config))
        expect(await queue.jobs()).toMatchObject([{ state: "exhausted", token: 1 }])
        gate.open()
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded", result: "late" })
    })
})

/** How a run ends by itself, that would be run again. */
const ENDINGS = {
    "throws, with attempts left": () => {
        throw new Error("again")
    },
    "puts it off": (_payload: object, context: { snooze(ms: number): never }) => context.snooze(0),
}

describe.each(Object.entries(ENDINGS))("a job that is to be cancelled and %s", (_name, end) => {
    it("is not run again, though its worker had not been told", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        const job = define(
            queue.config,
            async (payload, context) => {
                await gate.opened
                return end(payload, context)
            },
            { numAttempts: 5 },
        )
        queue.worker({ processIntervalMs: 60_000 })
        const id = await job.defer({ payload: {} })
        await eventually(async () => (await queue.jobs())[0]?.state === "running")
        await cancelUnheard(queue, id, "why")
        gate.open()
        const row = await finalizedJob(queue, id)
        expect(row).toMatchObject({ reason: "cancelled", token: 1, worker: null })
        expect((row.errors as unknown[]).at(-1)).toMatchObject({ message: `job ${id} was cancelled: why` })
        await eventually(() => eventsOf(queue, id).includes("worker-job-finalize-failure"))
    })
})

describe("a job that is to be cancelled and is handed back", () => {
    it("is not run again", async () => {
        const { queue, id, worker } = await makeRunning({ isDeaf: true })
        await cancelUnheard(queue, id, "why")
        worker.stop()
        await worker.join({ graceMs: 0 })
        expect(await queue.jobs()).toMatchObject([{ state: "exhausted", attempt: 0, lease_id: null }])
        const other = new Config({ pool: queue.pool, schema: queue.schemaName })
        queue.worker({ config: other })
        expect(await finalizedJob(queue, id)).toMatchObject({ reason: "cancelled", token: 1 })
    })
})
