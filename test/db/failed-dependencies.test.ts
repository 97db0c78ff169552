import { describe, expect, it } from "vitest"
import { JobDefinition, type JobDefinitionOptions } from "../../src/index.ts"
import { finalizedJob, finalizedJobs } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { makeQueue, type Queue } from "../support/with-schema.ts"

/** A definition that never starts a run of its own accord: tests of it see that its jobs never ran. */
function makeDependent(queue: Queue) {
    const ranIDs: number[] = []
    const dependent = new JobDefinition({
        config: queue.config,
        name: "dependent",
        jobFunction: (_: object, { jobID }) => void ranIDs.push(jobID),
    })
    dependent.register()
    return { dependent, ranIDs }
}

function makeFailing(queue: Queue, options: Partial<JobDefinitionOptions<object, void>> = {}) {
    const failing = new JobDefinition<object>({
        config: queue.config,
        name: "failing",
        jobFunction: () => {
            throw new Error("fails")
        },
        ...options,
    })
    failing.register()
    return failing
}

const UNMET = { outcome: "failed", reason: "unmet-dependencies", attempt: 0, worker: null, claimed_at: null }

describe("the dependents of a job that failed", () => {
    it("are finalized at once, and theirs too, without a run", async () => {
        const queue = await makeQueue()
        const { dependent, ranIDs } = makeDependent(queue)
        const failing = makeFailing(queue)
        const id = await failing.defer({ payload: {} })
        const child = await dependent.defer({ payload: {}, dependencies: [id] })
        const other = await dependent.defer({ payload: {}, dependencies: [id] })
        const grandchild = await dependent.defer({ payload: {}, dependencies: [child] })
        const last = await dependent.defer({ payload: {}, dependencies: [grandchild, other] })
        queue.worker({ processIntervalMs: 60_000 })
        const rows = await finalizedJobs(queue, [child, other, grandchild, last])
        expect(rows).toMatchObject([UNMET, UNMET, UNMET, UNMET])
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "failed", reason: "error" })
        expect(await queue.jobs()).toEqual([])
        expect(ranIDs).toEqual([])
    })

    it("are told of by the worker, once each", async () => {
        const queue = await makeQueue()
        const { dependent } = makeDependent(queue)
        const failing = makeFailing(queue)
        queue.worker()
        queue.worker()
        const id = await failing.defer({ payload: {} })
        const ids = await dependent.deferMany(
            Array.from({ length: 20 }, () => ({ payload: {}, dependencies: [id] })),
        )
        await finalizedJobs(queue, ids)
        const told = () =>
            queue.events.flatMap((event) =>
                event.eventType === "worker-job-finalize-failure" && event.reason === "unmet-dependencies"
                    ? [event.jobID]
                    : [],
            )
        await expect.poll(() => told().length).toBe(20)
        expect(told().sort((a, b) => a - b)).toEqual(ids)
    })

    it("are finalized although another job that they depend on has succeeded, or has not run", async () => {
        const queue = await makeQueue()
        const { dependent, ranIDs } = makeDependent(queue)
        const failing = makeFailing(queue)
        const good = await dependent.defer({ payload: {} })
        const bad = await failing.defer({ payload: {} })
        const future = await dependent.defer({ payload: {}, delayMs: 3_600_000 })
        const id = await dependent.defer({ payload: {}, dependencies: [good, bad, future] })
        queue.worker()
        expect(await finalizedJob(queue, id)).toMatchObject(UNMET)
        await finalizedJob(queue, good)
        expect(ranIDs).toEqual([good])
        expect((await queue.jobs()).map((job) => Number(job.id))).toEqual([future])
    })

    it("wait for its retries to end", async () => {
        const queue = await makeQueue()
        const { dependent } = makeDependent(queue)
        const failing = makeFailing(queue, { numAttempts: 2, retryDelayMs: 0 })
        const id = await failing.defer({ payload: {} })
        const child = await dependent.defer({ payload: {}, dependencies: [id] })
        queue.worker()
        expect(await finalizedJob(queue, child)).toMatchObject(UNMET)
        expect(await finalizedJob(queue, id)).toMatchObject({ attempt: 3 })
    })

    it("are finalized when they are deferred after it failed", async () => {
        const queue = await makeQueue()
        const { dependent } = makeDependent(queue)
        const failing = makeFailing(queue)
        queue.worker({ processIntervalMs: 60_000 })
        const id = await failing.defer({ payload: {} })
        await finalizedJob(queue, id)
        const child = await dependent.defer({ payload: {}, dependencies: [id] })
        expect(await finalizedJob(queue, child)).toMatchObject(UNMET)
        const grandchild = await dependent.defer({ payload: {}, dependencies: [child] })
        expect(await finalizedJob(queue, grandchild)).toMatchObject(UNMET)
    })

    it("are finalized when it timed out in the queue", async () => {
        const queue = await makeQueue()
        const { dependent } = makeDependent(queue)
        const elsewhere = makeFailing(queue, { channel: "elsewhere", timeoutIntervalMs: 20 })
        queue.worker({ processIntervalMs: 60_000 })
        const id = await elsewhere.defer({ payload: {} })
        const child = await dependent.defer({ payload: {}, dependencies: [id] })
        queue.orchestrator({ cleanIntervalMs: 20 })
        expect(await finalizedJob(queue, child)).toMatchObject(UNMET)
        expect(await finalizedJob(queue, id)).toMatchObject({ reason: "timeout" })
    })

    it("are finalized when it timed out in its handler", async () => {
        const queue = await makeQueue()
        const { dependent } = makeDependent(queue)
        const stuck = makeFailing(queue, {
            timeoutIntervalMs: 50,
            jobFunction: () => new Promise(() => undefined),
        })
        queue.worker({ processIntervalMs: 60_000 })
        const id = await stuck.defer({ payload: {} })
        const child = await dependent.defer({ payload: {}, dependencies: [id] })
        expect(await finalizedJob(queue, child)).toMatchObject(UNMET)
        expect(await finalizedJob(queue, id)).toMatchObject({ reason: "timeout" })
    })

    it("are finalized when its last attempt ended with its worker", async () => {
        const queue = await makeQueue()
        const { dependent } = makeDependent(queue)
        const gate = makeGate()
        const stuck = makeFailing(queue, { jobFunction: () => gate.opened })
        queue.worker({ name: "lost" })
        const id = await stuck.defer({ payload: {} })
        const child = await dependent.defer({ payload: {}, dependencies: [id] })
        await expect.poll(async () => (await queue.jobs())[0]?.state).toBe("running")
        // What another worker does when it sees that the lease has lapsed.
        await queue.sql.query(`update ${queue.schema}.lease set revoked_by = pg_current_xact_id()`)
        queue.worker()
        expect(await finalizedJob(queue, child)).toMatchObject(UNMET)
        expect(await finalizedJob(queue, id)).toMatchObject({ reason: "no-attempts-remaining" })
        gate.open()
    })

    it("are finalized by an orchestrator when no worker is there", async () => {
        const queue = await makeQueue()
        const { dependent } = makeDependent(queue)
        const idle = makeFailing(queue, { timeoutIntervalMs: 20 })
        const id = await idle.defer({ payload: {} })
        const child = await dependent.defer({ payload: {}, dependencies: [id] })
        queue.orchestrator({ cleanIntervalMs: 20 })
        expect(await finalizedJob(queue, child)).toMatchObject(UNMET)
        await expect
            .poll(() => queue.events)
            .toContainEqual({
                eventType: "orchestrator-job-finalize-failure-unmet-dependencies",
                jobID: child,
                jobName: "dependent",
            })
    })
})
