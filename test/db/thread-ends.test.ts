import { describe, expect, it } from "vitest"
import { InvalidOptionError, JobDefinition, ThreadExitError } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalizedJob, finalizedJobs } from "../support/finalized.ts"
import { defineInThread, moduleURL, numThreads, told } from "../support/threads.ts"
import { eventually, makeQueue } from "../support/with-schema.ts"

describe("a thread that ends before its job function", () => {
    it("fails the attempt with an error that says how, and the next job gets another", async () => {
        const queue = await makeQueue()
        const crash = defineInThread(queue.config, "crash", { name: "crash" })
        const job = defineInThread(queue.config, "default")
        queue.worker()
        const ways = {
            exit: "exited with code 3",
            throw: "nobody catches this",
            reject: "nobody awaits this",
        }
        for (const [how, why] of Object.entries(ways)) {
            const id = await crash.defer({ payload: { how } })
            const row = await finalizedJob(queue, id)
            const message = expect.stringContaining(why)
            expect(row).toMatchObject({ outcome: "failed", errors: [{ name: "ThreadExitError", message }] })
            const error = await eventually(
                () => told(queue, "worker-job-error").find(({ jobID }) => jobID === id)?.error,
            )
            expect(error).toBeInstanceOf(ThreadExitError)
            expect(error).toMatchObject({ code: "CUCKMQ_THREAD_EXIT" })
            if (how !== "exit") expect((error as Error).cause).toMatchObject({ message: why })
        }
        const id = await job.defer({ payload: {} })
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded" })
        expect(told(queue, "daemon-error")).toEqual([])
    })

    it("is another attempt's chance, as every failure is", async () => {
        const queue = await makeQueue()
        const job = defineInThread(queue.config, "crash", { numAttempts: 2 })
        queue.worker()
        const id = await job.defer({ payload: { how: "exit" } })
        expect(await finalizedJob(queue, id)).toMatchObject({ reason: "error", attempt: 3 })
    })

    it("is told of when no job was to blame", async () => {
        const queue = await makeQueue()
        const job = defineInThread(queue.config, "crashLater")
        queue.worker()
        expect(await finalizedJob(queue, await job.defer({ payload: {} }))).toMatchObject({
            outcome: "succeeded",
        })
        await eventually(() => told(queue, "daemon-error").length > 0)
        expect(told(queue, "daemon-error")).toMatchObject([{ error: { message: "left behind" } }])
        const next = await job.defer({ payload: {} })
        expect(await finalizedJob(queue, next)).toMatchObject({ outcome: "succeeded" })
    })
})

describe("a job function that does not heed its aborted signal", () => {
    it("has its thread ended after forceAfterMs, and the next job gets another", async () => {
        const queue = await makeQueue()
        const options = { attemptTimeoutMs: 100, forceAfterMs: 50 }
        const stuck = defineInThread(queue.config, "blockForEver", { name: "stuck", ...options })
        const job = defineInThread(queue.config, "default")
        queue.worker({ concurrency: 1 })
        const before = numThreads()
        const id = await stuck.defer({ payload: {} })
        const next = await job.defer({ payload: {} })
        expect(await finalizedJobs(queue, [id, next])).toMatchObject([
            { outcome: "failed", errors: [{ name: "AttemptTimeoutError" }] },
            { outcome: "succeeded" },
        ])
        // One for the job that came next, and one for leases.
        expect(numThreads() - before).toBeLessThanOrEqual(2)
    })

    it("keeps its thread with `null`, until the worker has stopped", async () => {
        const queue = await makeQueue()
        const options = { attemptTimeoutMs: 50, forceAfterMs: null }
        const stuck = defineInThread(queue.config, "blockForEver", options)
        const before = numThreads()
        const worker = queue.worker({ concurrency: 2, numThreads: 1 })
        await finalizedJob(queue, await stuck.defer({ payload: {} }))
        await stuck.defer({ payload: {} })
        // Slots are for jobs of all kinds, and this one's thread is not there to be had.
        const other = define(queue.config, () => undefined, { name: "other" })
        await finalizedJob(queue, await other.defer({ payload: {} }))
        expect(told(queue, "worker-job-dequeue")).toHaveLength(2)
        expect(numThreads() - before).toBeLessThanOrEqual(2)
        worker.stop()
        await worker.join()
        await eventually(() => numThreads() === before)
        expect(await queue.jobs()).toMatchObject([{ state: "ready", attempt: 0 }])
    })

    it("fails with what ended its thread when only its lease was lost", async () => {
        const queue = await makeQueue()
        const options = { lockIntervalMs: 400, forceAfterMs: 0 }
        const stuck = defineInThread(queue.config, "blockForEver", options)
        queue.worker()
        await stuck.defer({ payload: {} })
        await eventually(() => told(queue, "worker-job-dequeue").length === 1)
        await queue.sql.query(`delete from ${queue.schema}.lease`)
        await eventually(() => told(queue, "worker-job-error").length === 1)
        expect(told(queue, "worker-job-error")[0]?.error).toMatchObject({
            code: "CUCKMQ_THREAD_EXIT",
            message: expect.stringContaining("did not heed"),
            cause: { code: "CUCKMQ_LEASE_LOST" },
        })
    })

    it("does not hold up a worker whose grace is over", async () => {
        const queue = await makeQueue()
        const stuck = defineInThread(queue.config, "blockForEver")
        const before = numThreads()
        const worker = queue.worker()
        await stuck.defer({ payload: {} })
        await eventually(() => told(queue, "worker-job-dequeue").length === 1)
        worker.stop()
        await worker.join({ graceMs: 0 })
        await eventually(() => numThreads() === before)
        expect(await queue.jobs()).toMatchObject([{ state: "ready", attempt: 0 }])
    })
})

describe("the threads of a worker", () => {
    it("are as many as jobs need, and end with it", async () => {
        const queue = await makeQueue()
        const job = defineInThread(queue.config, "block")
        const before = numThreads()
        const workers = [queue.worker({ concurrency: 2, numThreads: 2 }), queue.worker()]
        expect(numThreads()).toBe(before)
        const ids = await job.deferMany(Array.from({ length: 200 }, () => ({ payload: { ms: 0 } })))
        const rows = await finalizedJobs(queue, ids)
        expect(rows.map(({ outcome }) => outcome)).toEqual(ids.map(() => "succeeded"))
        expect(numThreads() - before).toBeLessThanOrEqual(4)
        expect(new Set(rows.map(({ result }) => result)).size).toBeLessThanOrEqual(3)
        for (const worker of workers) worker.stop()
        await Promise.all(workers.map((worker) => worker.join()))
        await eventually(() => numThreads() === before)
    })

    it("may be started again with it", async () => {
        const queue = await makeQueue()
        const job = defineInThread(queue.config, "default")
        const worker = queue.worker()
        for (let round = 0; round < 2; round++) {
            const id = await job.defer({ payload: { round } })
            expect(await finalizedJob(queue, id)).toMatchObject({ result: { payload: { round } } })
            worker.stop()
            await worker.join()
            worker.start()
        }
    })
})

describe("the options of a definition that runs in a thread", () => {
    it("exclude each other, and name a file", async () => {
        const { config } = await makeQueue({ isPrepared: false })
        const module = moduleURL("jobs")
        const jobFunction = () => undefined
        const refused: [option: string, options: object][] = [
            ["jobFunction", { runIn: "thread", module, jobFunction }],
            ["module", { module }],
            ["jobFunction", {}],
            ["module", { jobFunction, module }],
            ["exportName", { jobFunction, exportName: "default" }],
            ["forceAfterMs", { jobFunction, forceAfterMs: null }],
            ["runIn", { jobFunction, runIn: "worker" }],
            ["module", { runIn: "thread" }],
            ...["", "./jobs.js", "jobs.js", "https://example.org/jobs.js", "node:fs", "/a\u0000b", 5, {}].map(
                (module): [string, object] => ["module", { runIn: "thread", module }],
            ),
            ["module", { runIn: "thread", module: new URL("https://example.org/jobs.js") }],
        ]
        for (const [option, options] of refused) {
            const make = () => new JobDefinition({ config, name: "job", ...options } as never)
            expect(make).toThrow(InvalidOptionError)
            expect(make).toThrow(expect.objectContaining({ option }))
        }
        for (const module of [moduleURL("jobs"), moduleURL("jobs").href, "/srv/jobs.js"])
            expect(new JobDefinition({ config, name: "job", runIn: "thread", module }).name).toBe("job")
    })
})
