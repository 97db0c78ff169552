import { describe, expect, it } from "vitest"
import { JobDefinition } from "../../src/index.ts"
import { finalizedJob, finalizedJobs } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { eventually, makeQueue, type Queue } from "../support/with-schema.ts"

const times = (num: number) => Array.from({ length: num }, () => ({ payload: {} }))

/** A registered definition whose runs are written down in the order in which they start. */
function define(
    queue: Queue,
    options: { name?: string; channel?: string; takesMs?: number; after?: readonly number[] } = {},
) {
    const { takesMs = 0, after = [], ...rest } = options
    const startedIDs: number[] = []
    /** For each of its runs, how many of those that it is compared with had started before. */
    const numStartedBefore: number[] = []
    const definition = new JobDefinition({
        config: queue.config,
        name: "definition",
        ...rest,
        jobFunction: async (_: object, { jobID }) => {
            startedIDs.push(jobID)
            numStartedBefore.push(after.length)
            if (takesMs > 0) await new Promise((resolve) => setTimeout(resolve, takesMs))
        },
    })
    definition.register()
    return { definition, startedIDs, numStartedBefore }
}

describe("jobs of one definition", () => {
    it("start in the order in which they were deferred", async () => {
        const queue = await makeQueue()
        const { definition, startedIDs } = define(queue)
        const ids = await definition.deferMany(times(200))
        queue.worker({ concurrency: 1 })
        await finalizedJobs(queue, ids)
        expect(startedIDs).toEqual(ids)
    })

    it("start in order while more of them are deferred", async () => {
        const queue = await makeQueue()
        const { definition, startedIDs } = define(queue)
        queue.worker({ concurrency: 3 })
        const ids: number[] = []
        for (let i = 0; i < 100; i++) ids.push(await definition.defer({ payload: {} }))
        await finalizedJobs(queue, ids)
        expect(startedIDs).toEqual(ids)
    })

    it("are run by as many handlers at a time as the worker's concurrency says, and no more", async () => {
        for (const { concurrency, expected } of [
            { concurrency: undefined, expected: 1 },
            { concurrency: 0, expected: 1 },
            { concurrency: 4, expected: 4 },
        ]) {
            const queue = await makeQueue()
            const gate = makeGate()
            let numRunning = 0
            let mostRunning = 0
            const definition = new JobDefinition({
                config: queue.config,
                name: "definition",
                jobFunction: async (_: object) => {
                    mostRunning = Math.max(mostRunning, ++numRunning)
                    await gate.opened
                    await new Promise((resolve) => setImmediate(resolve))
                    numRunning--
                },
            })
            definition.register()
            queue.worker(concurrency === undefined ? {} : { concurrency })
            const ids = await definition.deferMany(times(50))
            await eventually(() => numRunning === expected)
            gate.open()
            await finalizedJobs(queue, ids)
            expect(mostRunning).toBe(expected)
        }
    })

    it("are shared by workers, and each runs once", async () => {
        const queue = await makeQueue()
        const { definition, startedIDs } = define(queue)
        const other = queue.otherConfig()
        const sameElsewhere = new JobDefinition({
            config: other,
            name: "definition",
            jobFunction: (_: object, { jobID }) => void startedIDs.push(jobID),
        })
        sameElsewhere.register()
        for (const config of [queue.config, queue.config, other, other]) {
            queue.worker({ config, concurrency: 5 })
        }
        const ids = await definition.deferMany(times(1_000))
        await finalizedJobs(queue, ids)
        expect(startedIDs.sort((a, b) => a - b)).toEqual(ids)
    })
})

describe("jobs of several definitions", () => {
    it("take turns: a flood of one does not starve another", async () => {
        const queue = await makeQueue()
        const flood = define(queue, { name: "flood" })
        const drop = define(queue, { name: "drop", after: flood.startedIDs })
        await flood.definition.deferMany(times(5_000))
        const ids = await drop.definition.deferMany(times(10))
        queue.worker({ concurrency: 2 })
        await finalizedJobs(queue, ids)
        expect(drop.numStartedBefore.at(-1)).toBeLessThan(4_500)
    })

    it("take turns when jobs take longer than a claim, in one slot", async () => {
        const queue = await makeQueue()
        const flood = define(queue, { name: "flood", takesMs: 5 })
        const drop = define(queue, { name: "drop", takesMs: 5, after: flood.startedIDs })
        await flood.definition.deferMany(times(500))
        const ids = await drop.definition.deferMany(times(5))
        queue.worker({ concurrency: 1 })
        await finalizedJobs(queue, ids)
        expect(drop.numStartedBefore.at(-1)).toBeLessThan(100)
    })

    it("take turns when one comes into the midst of the other's flood", async () => {
        const queue = await makeQueue()
        const flood = define(queue, { name: "flood", takesMs: 1 })
        const drop = define(queue, { name: "drop", after: flood.startedIDs })
        await flood.definition.deferMany(times(3_000))
        queue.worker({ concurrency: 10, processIntervalMs: 60_000 })
        await eventually(() => flood.startedIDs.length > 100)
        const id = await drop.definition.defer({ payload: {} })
        await finalizedJob(queue, id)
        expect(drop.numStartedBefore.at(-1)).toBeLessThan(2_500)
    })

    it("do not wait for a job that runs long in another slot", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        const long = new JobDefinition({
            config: queue.config,
            name: "long",
            jobFunction: (_: object) => gate.opened,
        })
        long.register()
        const { definition } = define(queue)
        queue.worker({ concurrency: 2 })
        const longID = await long.defer({ payload: {} })
        const ids = await definition.deferMany(times(20))
        await finalizedJobs(queue, ids)
        expect((await queue.jobs()).map((job) => Number(job.id))).toEqual([longID])
        gate.open()
        await finalizedJob(queue, longID)
    })
})

describe("a channel", () => {
    it("is worked on by the workers of that channel only", async () => {
        const queue = await makeQueue()
        const mail = define(queue, { name: "mail", channel: "mail" })
        const plain = define(queue, { name: "plain" })
        queue.worker({ concurrency: 5 })
        const mailID = await mail.definition.defer({ payload: {} })
        await finalizedJob(queue, await plain.definition.defer({ payload: {} }))
        expect(await queue.jobs()).toMatchObject([{ state: "ready", attempt: 0 }])
        queue.worker({ channel: "mail", name: "mail worker" })
        expect(await finalizedJob(queue, mailID)).toMatchObject({ worker: "mail worker" })
        expect(plain.startedIDs).not.toContain(mailID)
    })

    it("is not held up by a flood in another", async () => {
        const queue = await makeQueue()
        const flood = define(queue, { name: "flood", channel: "flood" })
        const mail = define(queue, { name: "mail", channel: "mail" })
        await flood.definition.deferMany(times(5_000))
        queue.worker({ channel: "mail" })
        await finalizedJob(queue, await mail.definition.defer({ payload: {} }))
        expect(await queue.jobs()).toHaveLength(5_000)
    })

    it("that a definition moved to is the one that its waiting jobs are in", async () => {
        const queue = await makeQueue()
        const before = new JobDefinition({
            config: queue.otherConfig(),
            name: "moved",
            jobFunction: () => "old",
        })
        const id = await before.defer({ payload: {} })
        const moved = new JobDefinition({
            config: queue.config,
            name: "moved",
            channel: "new",
            jobFunction: () => "new",
        })
        moved.register()
        queue.worker({ channel: "new" })
        expect(await finalizedJob(queue, id)).toMatchObject({ result: "new" })
    })
})
