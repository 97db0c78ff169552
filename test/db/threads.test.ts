import { describe, expect, it } from "vitest"
import { AttemptTimeoutError, CuckmqError, JobTimeoutError, ThreadModuleError } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { makeEffects } from "../support/effects.ts"
import { finalizedJob, finalizedJobs } from "../support/finalized.ts"
import { USER } from "../support/postgres-server.ts"
import { defineInThread, moduleURL, told } from "../support/threads.ts"
import { eventually, hasServer, makeQueue, queueURL } from "../support/with-schema.ts"

/** Runs a job function of the tests' modules once with each payload, and returns the rows in history and what was told. */
async function runEach(
    exportName: string,
    payloads: readonly Record<string, unknown>[],
    options: Parameters<typeof defineInThread>[2] = {},
) {
    const queue = await makeQueue()
    const job = defineInThread(queue.config, exportName, options)
    queue.worker()
    const ids = await job.deferMany(payloads.map((payload) => ({ payload })))
    const rows = await finalizedJobs(queue, ids)
    const isEnd = (type: string) => type.startsWith("worker-job-finalize")
    await eventually(() => queue.events.filter((event) => isEnd(event.eventType)).length === ids.length)
    const errorOf = (id: number | undefined) =>
        told(queue, "worker-job-error").find(({ jobID }) => jobID === id)?.error
    return { queue, ids, rows, errors: ids.map(errorOf) }
}

/** The same with one payload. */
async function runOnce(
    exportName: string,
    payload: Record<string, unknown> = {},
    options: Parameters<typeof defineInThread>[2] = {},
) {
    const { queue, ids, rows } = await runEach(exportName, [payload], options)
    return { queue, id: ids[0] ?? 0, row: rows[0] ?? {} }
}

describe("a job function that runs in a thread", () => {
    it("gets its payload and what a context says, and its result is kept", async () => {
        const payload = { text: "é\u001e", list: [1, null, { a: true }] }
        const { id, row } = await runOnce("default", payload, { name: "threaded" })
        expect(row).toMatchObject({
            outcome: "succeeded",
            result: {
                payload,
                jobID: id,
                name: "threaded",
                attempt: 1,
                token: 1,
                dueAt: (row.due_at as Date).toISOString(),
                isMainThread: false,
            },
        })
    })

    it("may be given by a path, by the text of a URL, and come from CommonJS", async () => {
        const queue = await makeQueue()
        const { href, pathname } = moduleURL("common", "cjs")
        const named = defineInThread(queue.config, "named", { name: "path", module: pathname })
        const other = defineInThread(queue.config, "default", { name: "text", module: href })
        queue.worker()
        const ids = [await named.defer({ payload: { n: 1 } }), await other.defer({ payload: { n: 2 } })]
        expect(await finalizedJobs(queue, ids)).toMatchObject([
            { result: { n: 1, how: "named" } },
            { result: { n: 2, how: "default" } },
        ])
    })

    it("keeps no event loop and no lease from anything while it is busy", async () => {
        const queue = await makeQueue()
        const job = defineInThread(queue.config, "block", { lockIntervalMs: 400 })
        const other = define(queue.config, () => undefined, { name: "other" })
        queue.worker({ concurrency: 4, numThreads: 1 })
        const id = await job.defer({ payload: { ms: 1_500 } })
        await eventually(() => told(queue, "worker-job-dequeue").length === 1)
        const others = await other.deferMany(Array.from({ length: 50 }, () => ({ payload: {} })))
        await finalizedJobs(queue, others)
        // The thread is still busy with the first one.
        expect((await queue.jobs()).map((row) => Number(row.id))).toEqual([id])
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded", attempt: 1, token: 1 })
        const types = queue.events.map(({ eventType }) => eventType)
        expect(types).not.toContain("worker-event-loop-blocked")
        expect(types).not.toContain("worker-job-lease-lost")
    })

    it("is run by one thread after the other job, which needs no other", async () => {
        const queue = await makeQueue()
        const job = defineInThread(queue.config, "block")
        queue.worker({ concurrency: 3, numThreads: 1 })
        const ids = await job.deferMany(Array.from({ length: 6 }, () => ({ payload: { ms: 1 } })))
        const rows = await finalizedJobs(queue, ids)
        expect(new Set(rows.map(({ result }) => result)).size).toBe(1)
    })

    it("is run by as many threads as there may be", async () => {
        const queue = await makeQueue()
        const job = defineInThread(queue.config, "untilAborted", { attemptTimeoutMs: 60_000 })
        const worker = queue.worker({ concurrency: 5, numThreads: 2, processIntervalMs: 60_000 })
        await job.deferMany(Array.from({ length: 5 }, () => ({ payload: {} })))
        await eventually(() => told(queue, "worker-job-dequeue").length === 2)
        // What waits for a thread is not kept from other workers.
        await eventually(async () => {
            const states = (await queue.jobs()).map(({ state }) => state)
            return states.filter((state) => state === "ready").length === 3
        })
        worker.stop()
        await worker.join({ graceMs: 0 })
        expect(told(queue, "worker-job-dequeue")).toHaveLength(2)
        expect(await queue.jobs()).toMatchObject(Array(5).fill({ state: "ready", attempt: 0 }))
    })

    it("may have a rate limit", async () => {
        const queue = await makeQueue()
        const job = defineInThread(queue.config, "block", { releaseIntervalMs: 20 })
        queue.worker({ concurrency: 4, numThreads: 1 })
        const ids = await job.deferMany(Array.from({ length: 4 }, () => ({ payload: { ms: 50 } })))
        const rows = await finalizedJobs(queue, ids)
        expect(rows.map(({ outcome }) => outcome)).toEqual(Array(4).fill("succeeded"))
    })

    it("writes where the process writes", async () => {
        const written: string[] = []
        const write = process.stdout.write
        process.stdout.write = (chunk: unknown) => written.push(String(chunk)) > 0
        try {
            await runOnce("log", { text: "from a thread" })
            await eventually(() => written.join("").includes("from a thread\n"))
        } finally {
            process.stdout.write = write
        }
    })
})

describe("the result of a job function in a thread", () => {
    it("is what JSON.stringify makes of it, and dropped where that of another would be", async () => {
        const discarded: [kind: string, reason: string][] = [
            ["bigint", "BigInt"],
            ["function", "a function has no JSON form"],
            ["cyclic", "circular"],
            ["nul", "a NUL character"],
            ["large", "larger than"],
        ]
        const kinds = ["date", "nothing", ...discarded.map(([kind]) => kind)]
        const { queue, ids, rows } = await runEach(
            "answer",
            kinds.map((kind) => ({ kind })),
        )
        expect(rows.map(({ outcome }) => outcome)).toEqual(kinds.map(() => "succeeded"))
        expect(rows.map(({ result }) => result)).toEqual([
            new Date(0).toISOString(),
            ...Array(kinds.length - 1).fill(null),
        ])
        const discards = told(queue, "worker-job-result-discard")
        expect(discards.map(({ jobID }) => jobID).sort()).toEqual(ids.slice(2).sort())
        for (const [index, [, reason]] of discarded.entries()) {
            const discard = discards.find(({ jobID }) => jobID === ids[index + 2])
            expect(discard?.reason).toContain(reason)
        }
    })
})

describe("what a job function in a thread throws", () => {
    it("arrives with name, message, stack, code, cause and fields, and is of the built-in class that it extends", async () => {
        const kinds = ["order", "caused", "aggregate"].map((kind) => ({ kind }))
        const { rows, errors } = await runEach("fail", kinds)
        const [order, caused, aggregate] = errors
        expect(order).toBeInstanceOf(RangeError)
        const expected = { name: "OrderError", message: "no such order" }
        expect(order).toMatchObject({ ...expected, code: "NO_ORDER", order: 7 })
        expect(order).not.toHaveProperty("undo")
        expect(caused).toBeInstanceOf(TypeError)
        expect(caused).toMatchObject({ message: "outer", cause: { message: "inner", cause: "innermost" } })
        expect(aggregate).toMatchObject({ name: "AggregateError", errors: [{ message: "one" }, "two"] })
        expect(rows[0]?.errors).toMatchObject([{ ...expected, stack: expect.stringContaining("jobs.mjs") }])
    })

    it("may be anything", async () => {
        const records = {
            text: { name: "string", message: "plain text" },
            nothing: { name: "undefined", message: "undefined" },
            object: { name: "object", message: '{"code":7}' },
            symbol: { name: "symbol", message: "Symbol(s)", stack: null },
            hostile: { name: "object" },
            selfCaused: { name: "Error", message: "round" },
        }
        const { rows } = await runEach(
            "fail",
            Object.keys(records).map((kind) => ({ kind })),
        )
        expect(rows.map(({ errors }) => errors)).toMatchObject(
            Object.values(records).map((record) => [record]),
        )
    })

    it("ends the job when it is Unretryable, and is judged by retryDelayMs", async () => {
        const seen: unknown[] = []
        const retryDelayMs = ({ error }: { error: unknown }) => seen.push(error) * 0
        const { row } = await runOnce("fail", { kind: "order" }, { numAttempts: 1, retryDelayMs })
        expect(row).toMatchObject({ outcome: "failed", attempt: 2 })
        expect(seen).toMatchObject([{ code: "NO_ORDER" }])
        const ended = await runOnce("fail", { kind: "unretryable" }, { numAttempts: 5 })
        expect(ended.row).toMatchObject({ outcome: "failed", attempt: 1, errors: [{ message: "no use" }] })
    })
})

describe("a job function in a thread that puts its job off", () => {
    it("runs again, uncharged, unless it does not let that through, and fails for what is no duration", async () => {
        const queue = await makeQueue()
        const names = ["snoozeOnce", "snooze", "catchSnooze"]
        const jobs = names.map((name) => defineInThread(queue.config, name, { name }))
        queue.worker()
        const ids = await Promise.all(jobs.map((job) => job.defer({ payload: { delayMs: "soon" } })))
        expect(await finalizedJobs(queue, ids)).toMatchObject([
            { outcome: "succeeded", result: "done", attempt: 1 },
            { outcome: "failed", errors: [{ name: "InvalidOptionError" }] },
            { outcome: "succeeded", result: "caught" },
        ])
        expect(told(queue, "worker-job-snooze")).toMatchObject([{ jobID: ids[0], attempt: 1, delayMs: 1 }])
    })
})

it("a job function in a thread may hold its rate", async () => {
    const queue = await makeQueue()
    const job = defineInThread(queue.config, "holdOnce", { rateLimit: { max: 1, perMs: 1 } })
    queue.worker()
    const [row] = await finalizedJobs(queue, [await job.defer({ payload: {} })])
    expect(row).toMatchObject({ outcome: "succeeded", result: "done", attempt: 1 })
    expect(told(queue, "worker-job-rate-limit")).toMatchObject([{ attempt: 1, delayMs: 1 }])
})

describe("the signal of a job function in a thread", () => {
    it.each(["untilAborted", "blockUntilAborted"])("is aborted by an attempt's time: %s", async (name) => {
        const { queue, id, row } = await runOnce(name, {}, { attemptTimeoutMs: 100 })
        const message = `attempt 1 of job ${id} timed out`
        expect(row).toMatchObject({ outcome: "failed", errors: [{ name: "AttemptTimeoutError", message }] })
        expect(told(queue, "worker-job-error")).toMatchObject([{ error: expect.any(AttemptTimeoutError) }])
    })

    it("is aborted by the job's time", async () => {
        const { row } = await runOnce("untilAborted", {}, { timeoutIntervalMs: 100 })
        expect(row).toMatchObject({ reason: "timeout", errors: [{ name: "JobTimeoutError" }] })
    })

    it("has a reason with the name, the code and the class of the one here", async () => {
        const queue = await makeQueue()
        const job = defineInThread(queue.config, "untilAborted", { lockIntervalMs: 400 })
        queue.worker()
        const jobID = await job.defer({ payload: {} })
        await eventually(() => told(queue, "worker-job-dequeue").length === 1)
        await queue.sql.query(`update ${queue.schema}.lease set revoked_by = pg_current_xact_id()`)
        await queue.sql.query(`delete from ${queue.schema}.lease`)
        const [{ error } = {}] = await eventually(() => {
            const errors = told(queue, "worker-job-error")
            return errors.length > 0 && errors
        })
        const expected = { name: "LeaseLostError", code: "CUCKMQ_LEASE_LOST", retryable: false }
        expect(error).toMatchObject({ ...expected, message: expect.stringContaining(`job ${jobID}`) })
        const { cause } = error as Error
        expect(cause).toMatchObject(expected)
        expect(cause).toBeInstanceOf(CuckmqError)
        expect(cause).not.toBeInstanceOf(JobTimeoutError)
    })

    it("is aborted by a stop whose grace is over, and the job handed back or recorded", async () => {
        for (const [name, isDone] of [
            ["untilAborted", false],
            ["endWell", true],
        ] as const) {
            const queue = await makeQueue()
            const job = defineInThread(queue.config, name)
            const before = defineInThread(queue.config, "default", { name: "before" })
            const worker = queue.worker({ numThreads: 1 })
            // So that its thread need not start first, which takes as long as the machine has it.
            const beforeID = await before.defer({ payload: {} })
            await finalizedJob(queue, beforeID)
            const id = await job.defer({ payload: {} })
            await eventually(() => told(queue, "worker-job-dequeue").length === 2)
            worker.stop()
            await worker.join({ graceMs: 0 })
            if (isDone) expect(await finalizedJob(queue, id)).toMatchObject({ result: "in time" })
            else expect(await queue.jobs()).toMatchObject([{ state: "ready", attempt: 0, errors: null }])
        }
    })
})

describe("a module that no job function can be had from", () => {
    it("fails the attempt with an error that names it", async () => {
        const queue = await makeQueue()
        const cases = [
            { file: "broken", exportName: "default", why: "this module does not load" },
            { file: "absent", exportName: "default", why: "absent.mjs" },
            { file: "jobs", exportName: "missing", why: "exports no function named missing" },
            { file: "jobs", exportName: "notAFunction", why: "exports no function named notAFunction" },
        ]
        const jobs = cases.map(({ file, exportName }, index) =>
            defineInThread(queue.config, exportName, {
                name: String(index),
                module: moduleURL(file),
                numAttempts: 1,
            }),
        )
        queue.worker({ concurrency: 2 })
        const ids = await Promise.all(jobs.map((job) => job.defer({ payload: {} })))
        const rows = await finalizedJobs(queue, ids)
        expect(rows.map(({ attempt }) => attempt)).toEqual([2, 2, 2, 2])
        for (const [index, { file, why }] of cases.entries()) {
            const error = told(queue, "worker-job-error").find(({ jobID }) => jobID === ids[index])?.error
            expect(error).toBeInstanceOf(ThreadModuleError)
            const { href } = moduleURL(file)
            const message = expect.stringMatching(new RegExp(`${href}.*${why}`))
            expect(error).toMatchObject({
                code: "CUCKMQ_THREAD_MODULE",
                module: href,
                message,
                cause: expect.any(Error),
            })
        }
    })
})

describe.runIf(hasServer())("a job function in a thread that completes its job", () => {
    const inTransactions = { module: moduleURL("complete"), numAttempts: 5 }
    const at = (queue: { schema: string }) => ({ url: queueURL(USER), schema: queue.schema })

    it("does so in a transaction of the thread's own", async () => {
        const queue = await makeQueue()
        const effects = await makeEffects(queue)
        const job = defineInThread(queue.config, "default", inTransactions)
        const dependent = define(queue.config, () => undefined, { name: "dependent" })
        queue.worker()
        const id = await job.defer({ payload: { ...at(queue), result: { n: 1 } }, delayMs: 50 })
        const dependentID = await dependent.defer({ payload: {}, dependencies: [id] })
        const rows = await finalizedJobs(queue, [id, dependentID])
        expect(rows).toMatchObject([{ result: { n: 1 }, attempt: 1 }, { outcome: "succeeded" }])
        expect(await effects.attempts()).toEqual([1])
    })

    it("has one effect, whatever rolls back or ends its thread before the commit", async () => {
        const queue = await makeQueue()
        const effects = await makeEffects(queue)
        const job = defineInThread(queue.config, "completeAtLast", inTransactions)
        queue.worker()
        const id = await job.defer({ payload: at(queue) })
        expect(await finalizedJob(queue, id)).toMatchObject({
            outcome: "succeeded",
            attempt: 3,
            result: 3,
            errors: [{ name: "CompletionNotCommittedError" }, { name: "ThreadExitError" }],
        })
        expect(await effects.attempts()).toEqual([3])
    })

    it("is refused what is refused elsewhere", async () => {
        const names = {
            client: "InvalidOptionError",
            unknown: "InvalidOptionError",
            nothing: "InvalidOptionError",
            result: "InvalidPayloadError",
        }
        const payloads = Object.keys(names).map((how) => ({ how }))
        const { rows, errors } = await runEach("completeWrongly", payloads, { module: moduleURL("complete") })
        expect(rows.map((row) => row.errors)).toMatchObject(Object.values(names).map((name) => [{ name }]))
        for (const error of errors) expect(error).toBeInstanceOf(CuckmqError)
    })
})
