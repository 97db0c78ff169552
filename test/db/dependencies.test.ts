import { describe, expect, it } from "vitest"
import { DependencyNotFoundError, JobDefinition } from "../../src/index.ts"
import { finalized, finalizedJob, finalizedJobs } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { inTransaction } from "../support/transaction.ts"
import { eventually, makeQueue, type Queue } from "../support/with-schema.ts"

/** A registered definition whose runs are written down in the order in which they end. */
function makeStep(queue: Queue, name = "step") {
    const ended: string[] = []
    const step = new JobDefinition({
        config: queue.config,
        name,
        jobFunction: ({ label }: { label: string }) => void ended.push(label),
    })
    step.register()
    return { step, ended }
}

describe("a job with dependencies", () => {
    it("stays blocked until every job that it depends on has succeeded", async () => {
        const queue = await makeQueue()
        const { step, ended } = makeStep(queue)
        const gate = makeGate()
        const slow = new JobDefinition({
            config: queue.config,
            name: "slow",
            jobFunction: async () => {
                await gate.opened
                ended.push("slow")
            },
        })
        slow.register()
        queue.worker({ concurrency: 4 })
        const slowID = await slow.defer({ payload: {} })
        const quickID = await step.defer({ payload: { label: "quick" } })
        const id = await step.defer({ payload: { label: "last" }, dependencies: [slowID, quickID] })
        await finalizedJob(queue, quickID)
        // A later job without dependencies has run: had the dependent been ready, it would have run before.
        await finalizedJob(queue, await step.defer({ payload: { label: "later" } }))
        expect((await queue.jobs()).find((job) => Number(job.id) === id)).toMatchObject({ state: "blocked" })
        gate.open()
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded" })
        expect(ended).toEqual(["quick", "later", "slow", "last"])
    })

    it("waits for the retries of the job that it depends on", async () => {
        const queue = await makeQueue()
        const { step, ended } = makeStep(queue)
        const flaky = new JobDefinition({
            config: queue.config,
            name: "flaky",
            numAttempts: 1,
            retryDelayMs: 0,
            jobFunction: (_: object, { attempt }) => {
                ended.push(`attempt ${attempt}`)
                if (attempt === 1) throw new Error("not yet")
            },
        })
        flaky.register()
        queue.worker({ concurrency: 4 })
        const flakyID = await flaky.defer({ payload: {} })
        const id = await step.defer({ payload: { label: "dependent" }, dependencies: [flakyID] })
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded" })
        expect(ended).toEqual(["attempt 1", "attempt 2", "dependent"])
    })

    it("runs at once when what it depends on has succeeded already", async () => {
        const queue = await makeQueue()
        const { step } = makeStep(queue)
        queue.worker()
        const firstID = await step.defer({ payload: { label: "first" } })
        await finalizedJob(queue, firstID)
        const id = await step.defer({ payload: { label: "second" }, dependencies: [firstID] })
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded", attempt: 1 })
    })

    it("may name one that has succeeded and one that has not run yet", async () => {
        const queue = await makeQueue()
        const { step, ended } = makeStep(queue)
        const worker = queue.worker()
        const firstID = await step.defer({ payload: { label: "past" } })
        await finalizedJob(queue, firstID)
        worker.stop()
        await worker.join()
        const secondID = await step.defer({ payload: { label: "live" } })
        const id = await step.defer({ payload: { label: "both" }, dependencies: [firstID, secondID] })
        expect((await queue.jobs()).map((job) => job.state)).toEqual(["ready", "blocked"])
        queue.worker()
        await finalizedJob(queue, id)
        expect(ended).toEqual(["past", "live", "both"])
    })

    it("runs after both arms of a diamond, which run after its head", async () => {
        const queue = await makeQueue()
        const { step, ended } = makeStep(queue)
        const head = await step.defer({ payload: { label: "head" } })
        const left = await step.defer({ payload: { label: "left" }, dependencies: [head] })
        const right = await step.defer({ payload: { label: "right" }, dependencies: [head] })
        const tail = await step.defer({ payload: { label: "tail" }, dependencies: [left, right] })
        queue.worker({ concurrency: 4 })
        await finalizedJob(queue, tail)
        expect([ended[0], ended.slice(1, 3).sort(), ended[3]]).toEqual(["head", ["left", "right"], "tail"])
        expect(ended).toHaveLength(4)
    })

    it("runs once after fifty jobs that several workers finish at the same time", async () => {
        const queue = await makeQueue()
        const { step, ended } = makeStep(queue)
        const payloads = Array.from({ length: 50 }, (_, i) => ({ payload: { label: `part ${i}` } }))
        const parts = await step.deferMany(payloads)
        const id = await step.defer({ payload: { label: "whole" }, dependencies: parts })
        for (let i = 0; i < 3; i++) queue.worker({ concurrency: 7 })
        await finalizedJob(queue, id)
        expect(ended).toHaveLength(51)
        expect(ended.at(-1)).toBe("whole")
        expect(await queue.jobs()).toEqual([])
    })

    it("starts all fifty dependents of one job when that has succeeded", async () => {
        const queue = await makeQueue()
        const { step, ended } = makeStep(queue)
        const first = await step.defer({ payload: { label: "first" } })
        const ids = await step.deferMany(
            Array.from({ length: 50 }, () => ({ payload: { label: "rest" }, dependencies: [first] })),
        )
        queue.worker({ concurrency: 10 })
        const rows = await finalizedJobs(queue, ids)
        expect(rows.map((row) => row.outcome)).toEqual(ids.map(() => "succeeded"))
        expect(ended).toEqual(["first", ...ids.map(() => "rest")])
    })

    it("depends once on a job that is named twice", async () => {
        const queue = await makeQueue()
        const { step, ended } = makeStep(queue)
        const first = await step.defer({ payload: { label: "first" } })
        const id = await step.defer({ payload: { label: "second" }, dependencies: [first, first] })
        queue.worker()
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded" })
        expect(ended).toEqual(["first", "second"])
    })

    it("may depend on jobs of another definition in another channel", async () => {
        const queue = await makeQueue()
        const { step } = makeStep(queue)
        const far = new JobDefinition({
            config: queue.config,
            name: "far",
            channel: "far",
            jobFunction: () => undefined,
        })
        far.register()
        queue.worker({ processIntervalMs: 60_000 })
        queue.worker({ channel: "far", processIntervalMs: 60_000 })
        const farID = await far.defer({ payload: {}, delayMs: 30 })
        const id = await step.defer({ payload: { label: "near" }, dependencies: [farID] })
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded" })
    })

    it("still waits for its own delay after its dependencies have succeeded", async () => {
        const queue = await makeQueue()
        const { step } = makeStep(queue)
        queue.worker({ processIntervalMs: 60_000 })
        const first = await step.defer({ payload: { label: "first" }, delayMs: 20 })
        const id = await step.defer({ payload: { label: "second" }, dependencies: [first], delayMs: 400 })
        const row = await finalizedJob(queue, id)
        expect(Number(row.claimed_at)).toBeGreaterThanOrEqual(Number(row.due_at))
        expect(Number(row.due_at) - Number(row.created_at)).toBe(400)
    })

    it("can be deferred in the transaction that defers what it depends on", async () => {
        const queue = await makeQueue()
        const { step, ended } = makeStep(queue)
        queue.worker({ concurrency: 4 })
        await inTransaction(queue, async (client) => {
            const first = await step.defer({ payload: { label: "first" }, client })
            const [second = 0] = await step.deferMany(
                [{ payload: { label: "second" }, dependencies: [first] }],
                { client },
            )
            await step.defer({ payload: { label: "third" }, dependencies: [first, second], client })
        })
        await finalized(queue, 3)
        expect(ended).toEqual(["first", "second", "third"])
    })
})

describe("a dependency that does not exist", () => {
    it("is refused with the ids that were not found, and nothing is deferred", async () => {
        const queue = await makeQueue()
        const { step } = makeStep(queue)
        const first = await step.defer({ payload: { label: "first" } })
        const jobs = [
            { payload: { label: "good" }, dependencies: [first] },
            { payload: { label: "bad" }, dependencies: [first, 999_998, 999_999] },
        ]
        const error = await step.deferMany(jobs).catch((thrown: unknown) => thrown)
        expect(error).toBeInstanceOf(DependencyNotFoundError)
        expect(error).toMatchObject({ code: "CUCKMQ_DEPENDENCY_NOT_FOUND", jobIDs: [999_998, 999_999] })
        expect((await queue.jobs()).map((job) => Number(job.id))).toEqual([first])
    })

    it("does not fail the jobs that others defer at the same time", async () => {
        const queue = await makeQueue()
        const { step } = makeStep(queue)
        const results = await Promise.allSettled([
            step.defer({ payload: { label: "one" } }),
            step.defer({ payload: { label: "bad" }, dependencies: [999_999] }),
            step.defer({ payload: { label: "two" } }),
        ])
        expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"])
        expect((await queue.jobs()).map((job) => job.payload)).toEqual([{ label: "one" }, { label: "two" }])
    })

    it("leaves the caller's transaction usable", async () => {
        const queue = await makeQueue()
        const { step } = makeStep(queue)
        await inTransaction(queue, async (client) => {
            const failing = step.defer({ payload: { label: "bad" }, dependencies: [999_999], client })
            await expect(failing).rejects.toBeInstanceOf(DependencyNotFoundError)
            await step.defer({ payload: { label: "good" }, client })
        })
        expect((await queue.jobs()).map((job) => job.payload)).toEqual([{ label: "good" }])
    })

    it("is one that was rolled back", async () => {
        const queue = await makeQueue()
        const { step } = makeStep(queue)
        let id = 0
        const rollback = new Error("roll back")
        const transaction = inTransaction(queue, async (client) => {
            id = await step.defer({ payload: { label: "gone" }, client })
            throw rollback
        })
        await expect(transaction).rejects.toBe(rollback)
        const failing = step.defer({ payload: { label: "dependent" }, dependencies: [id] })
        await expect(failing).rejects.toMatchObject({ jobIDs: [id] })
        expect(await eventually(queue.jobs)).toEqual([])
    })
})
