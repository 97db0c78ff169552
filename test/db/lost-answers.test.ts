import { describe, expect, it } from "vitest"
import { Config, DatabaseError, type Event } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalized, finalizedJob, rowID } from "../support/finalized.ts"
import { losesOneAnswer } from "../support/flaky-pool.ts"
import { makeGate } from "../support/gate.ts"
import { eventually, hasServer, makePool, makeQueue } from "../support/with-schema.ts"

/** A queue with a second Config that misses one answer of the database. */
async function makeFlakyQueue(part: string) {
    const queue = await makeQueue()
    const pool = losesOneAnswer(makePool(), part)
    const config = new Config({ pool, schema: queue.schemaName })
    const numOf = (eventType: Event["eventType"]) =>
        queue.events.filter((event) => event.eventType === eventType).length
    return { ...queue, pool, config, numOf, worker: (options = {}) => queue.worker({ config, ...options }) }
}

describe.skipIf(!hasServer())("an answer of the database that is lost", () => {
    it("to a claim leaves the job to run soon, and is not charged to it", async () => {
        const queue = await makeFlakyQueue("-- cuckmq: claim-jobs")
        const attempts: number[] = []
        const job = define(queue.config, (_payload, { attempt }) => void attempts.push(attempt))
        queue.worker()
        const jobID = await job.defer({ payload: {} })
        expect(await finalizedJob(queue, jobID)).toMatchObject({ outcome: "succeeded", attempt: 1, token: 2 })
        expect(queue.pool.hasLost).toBe(true)
        expect(attempts).toEqual([1])
        expect(queue.numOf("daemon-error")).toBe(1)
    })

    it("to a claim does not disturb the jobs that the worker already runs", async () => {
        const queue = await makeFlakyQueue("-- cuckmq: claim-limited-jobs")
        const gate = makeGate()
        const long = define(queue.config, () => gate.opened, { name: "long", lockIntervalMs: 60_000 })
        const limited = define(queue.config, () => undefined, { releaseIntervalMs: 1 })
        queue.worker({ concurrency: 5 })
        const longID = await long.defer({ payload: {} })
        await eventually(() => queue.numOf("worker-job-dequeue") === 1)
        const limitedID = await limited.defer({ payload: {} })
        await finalizedJob(queue, limitedID)
        expect(queue.pool.hasLost).toBe(true)
        const [running] = await queue.jobs()
        expect(running).toMatchObject({ id: rowID(longID), state: "running", token: 1 })
        gate.open()
        expect(await finalizedJob(queue, longID)).toMatchObject({
            outcome: "succeeded",
            token: 1,
            errors: null,
        })
        expect(queue.numOf("worker-job-lease-lost")).toBe(0)
    })

    it("to a settlement neither repeats the job nor is taken for a lost lease", async () => {
        const queue = await makeFlakyQueue("-- cuckmq: finalize-jobs")
        const job = define(queue.config, () => "once", { numAttempts: 3 })
        queue.worker()
        await job.defer({ payload: {} })
        await eventually(() => queue.numOf("worker-job-finalize-success") === 1)
        expect(queue.pool.hasLost).toBe(true)
        expect(await queue.history()).toMatchObject([{ outcome: "succeeded", result: "once", attempt: 1 }])
        expect(queue.numOf("worker-job-dequeue")).toBe(1)
        expect(queue.numOf("worker-job-lease-lost")).toBe(0)
    })

    it("to a settlement with dependents releases them once", async () => {
        const queue = await makeFlakyQueue("-- cuckmq: release-dependents")
        const job = define(queue.config, () => undefined)
        const first = await job.defer({ payload: {} })
        await job.defer({ payload: {}, dependencies: [first] })
        queue.worker()
        expect(await finalized(queue, 2)).toMatchObject([
            { outcome: "succeeded", attempt: 1 },
            { outcome: "succeeded", attempt: 1 },
        ])
        expect(queue.pool.hasLost).toBe(true)
    })

    it("to a retry records the attempt once, and is not taken for a lost lease", async () => {
        const queue = await makeFlakyQueue("-- cuckmq: retry-jobs")
        const job = define(
            queue.config,
            (_payload, { attempt }) => {
                if (attempt === 1) throw new Error("first")
            },
            { numAttempts: 1, retryDelayMs: 300 },
        )
        queue.worker()
        await job.defer({ payload: {} })
        const [row] = await finalized(queue, 1)
        expect(queue.pool.hasLost).toBe(true)
        expect(row).toMatchObject({ outcome: "succeeded", attempt: 2, errors: [{ message: "first" }] })
        expect(queue.numOf("worker-job-lease-lost")).toBe(0)
    })

    it("to a hand-back on stop leaves the job uncharged", async () => {
        const queue = await makeFlakyQueue("-- cuckmq: return-jobs")
        const gate = makeGate()
        const job = define(queue.config, () => gate.opened)
        const worker = queue.worker()
        await job.defer({ payload: {} })
        await eventually(() => queue.numOf("worker-job-dequeue") === 1)
        worker.stop()
        await worker.join({ graceMs: 0 })
        expect(queue.pool.hasLost).toBe(true)
        expect(await queue.jobs()).toMatchObject([{ state: "ready", attempt: 0, lease_id: null }])
        gate.open()
    })

    it("to `defer` is an error that says that the call may be repeated", async () => {
        const queue = await makeFlakyQueue("-- cuckmq: insert-ready-job")
        const job = define(queue.config, () => undefined)
        const error = await job.defer({ payload: {} }).catch((thrown: unknown) => thrown)
        expect(error).toBeInstanceOf(DatabaseError)
        expect(error).toMatchObject({ code: "CUCKMQ_DATABASE", retryable: true })
        expect(await job.defer({ payload: {} })).toBeGreaterThan(0)
    })
})
