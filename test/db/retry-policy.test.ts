import { describe, expect, it } from "vitest"
import {
    AttemptTimeoutError,
    type Event,
    InvalidOptionError,
    JobDefinition,
    Unretryable,
} from "../../src/index.ts"
import { aborted, define } from "../support/define.ts"
import { finalizedJob } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { inTransaction } from "../support/transaction.ts"
import { eventually, makeQueue, type Queue } from "../support/with-schema.ts"

function told<Type extends Event["eventType"]>(queue: Queue, eventType: Type) {
    return queue.events.filter(
        (event): event is Extract<Event, { eventType: Type }> => event.eventType === eventType,
    )
}

describe("a job function that throws Unretryable", () => {
    it("ends its job, whatever attempts are left, with what it threw", async () => {
        const queue = await makeQueue()
        const cause = new Error("declined")
        const job = define(
            queue.config,
            () => {
                throw new Unretryable("the card was declined", { cause })
            },
            { numAttempts: 5 },
        )
        queue.worker()
        const id = await job.defer({ payload: {} })
        const row = await finalizedJob(queue, id)
        expect(row).toMatchObject({ outcome: "failed", reason: "error", attempt: 1 })
        expect(row.errors).toMatchObject([
            { attempt: 1, name: "Unretryable", message: "the card was declined" },
        ])
        await eventually(() => told(queue, "worker-job-finalize-failure").length === 1)
        expect(told(queue, "worker-job-error")).toMatchObject([
            { jobID: id, retryDelayMs: null, error: { cause } },
        ])
    })

    it("may do so after attempts that failed otherwise, with an error of its own kind", async () => {
        class Declined extends Unretryable {}
        const queue = await makeQueue()
        const job = define(
            queue.config,
            (_, { attempt }) => {
                throw attempt < 3 ? new Error("busy") : new Declined("no")
            },
            { numAttempts: 9 },
        )
        queue.worker()
        expect(await finalizedJob(queue, await job.defer({ payload: {} }))).toMatchObject({
            attempt: 3,
            errors: [{ message: "busy" }, { message: "busy" }, { message: "no" }],
        })
    })

    it("fails the jobs that depend on it", async () => {
        const queue = await makeQueue()
        const job = define(
            queue.config,
            () => {
                throw new Unretryable("no")
            },
            { numAttempts: 5 },
        )
        const dependent = define(queue.config, () => undefined, { name: "dependent" })
        queue.worker()
        const id = await job.defer({ payload: {}, delayMs: 20 })
        const dependentID = await dependent.defer({ payload: {}, dependencies: [id] })
        expect(await finalizedJob(queue, dependentID)).toMatchObject({ reason: "unmet-dependencies" })
    })
})

describe("a job function that puts its job off", () => {
    it("runs again when the time has passed, uncharged", async () => {
        const queue = await makeQueue()
        const attempts: number[] = []
        const job = define(queue.config, (_, context) => {
            attempts.push(context.attempt)
            return attempts.length < 4 ? context.snooze(30) : "done"
        })
        queue.worker()
        const id = await job.defer({ payload: {} })
        const row = await finalizedJob(queue, id)
        expect(row).toMatchObject({ outcome: "succeeded", attempt: 1, errors: null, result: "done" })
        expect(attempts).toEqual([1, 1, 1, 1])
        await eventually(() => told(queue, "worker-job-finalize-success").length === 1)
        expect(told(queue, "worker-job-snooze")).toEqual(
            Array.from({ length: 3 }, () => ({
                eventType: "worker-job-snooze",
                jobID: id,
                jobName: "job",
                attempt: 1,
                delayMs: 30,
            })),
        )
        expect(told(queue, "worker-job-error")).toEqual([])
    })

    it("is not run before", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, (_, context) => context.snooze(3_600_000))
        const worker = queue.worker()
        const id = await job.defer({ payload: {} })
        await eventually(() => told(queue, "worker-job-snooze").length === 1)
        await worker.stop()
        expect(await queue.jobs()).toMatchObject([{ state: "delayed", attempt: 0, lease_id: null }])
        const { rows } = await queue.sql.query(
            `select date_part('epoch', due_at - clock_timestamp()) as left_s, date_part('epoch', expires_at - due_at) as time_s
            from ${queue.schema}.job where id = $1`,
            [id],
        )
        expect(Number(rows[0]?.left_s)).toBeGreaterThan(3_500)
        // The whole time that its definition gives it, from when it is due.
        expect(Number(rows[0]?.time_s)).toBeCloseTo(12 * 3_600, 1)
    })

    it("is run at once when it asks for no time", async () => {
        const queue = await makeQueue()
        let numRuns = 0
        const job = define(queue.config, (_, context) => (++numRuns < 3 ? context.snooze(0) : undefined))
        queue.worker({ processIntervalMs: 60_000 })
        expect(await finalizedJob(queue, await job.defer({ payload: {} }))).toMatchObject({ attempt: 1 })
        expect(numRuns).toBe(3)
    })

    it("keeps the errors of attempts that failed before, and is charged for those alone", async () => {
        const queue = await makeQueue()
        let numRuns = 0
        const job = define(
            queue.config,
            (_, context) => {
                numRuns++
                if (numRuns % 2 === 1) return context.snooze(1)
                throw new Error(`run ${numRuns}`)
            },
            { numAttempts: 1 },
        )
        queue.worker()
        const row = await finalizedJob(queue, await job.defer({ payload: {} }))
        expect(row).toMatchObject({ outcome: "failed", attempt: 2 })
        expect(row.errors).toMatchObject([{ message: "run 2" }, { message: "run 4" }])
    })

    it("fails the attempt when it asks for what is no duration", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, (_, context) => context.snooze(Number.NaN))
        queue.worker()
        const id = await job.defer({ payload: {} })
        expect(await finalizedJob(queue, id)).toMatchObject({
            outcome: "failed",
            errors: [{ name: "InvalidOptionError" }],
        })
    })

    it("succeeds when it does not let through what snooze throws", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, (_, context) => {
            try {
                return context.snooze(10)
            } catch {
                return "caught"
            }
        })
        queue.worker()
        expect(await finalizedJob(queue, await job.defer({ payload: {} }))).toMatchObject({
            result: "caught",
        })
    })

    it("puts nothing off that it has completed in a transaction", async () => {
        const queue = await makeQueue()
        let numRuns = 0
        const job = define(queue.config, async (_, context) => {
            numRuns++
            await inTransaction(queue, (client) => context.complete({ client, result: numRuns }))
            return context.snooze(1)
        })
        queue.worker()
        const id = await job.defer({ payload: {} })
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded", result: 1 })
        await eventually(() => told(queue, "worker-job-finalize-success").length === 1)
        expect(told(queue, "worker-job-snooze")).toEqual([])
        expect(await queue.jobs()).toEqual([])
    })
})

describe("an attempt that takes longer than attemptTimeoutMs", () => {
    it("fails, with its signal aborted and its slot free, and is followed by another", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        const reasons: unknown[] = []
        const job = define(
            queue.config,
            async (_, { attempt, signal }) => {
                if (attempt === 2) return "second"
                reasons.push(await aborted(signal))
                await gate.opened
                return "too late"
            },
            { numAttempts: 1, attemptTimeoutMs: 30 },
        )
        queue.worker({ concurrency: 1 })
        const id = await job.defer({ payload: {} })
        const row = await finalizedJob(queue, id)
        expect(row).toMatchObject({ outcome: "succeeded", attempt: 2, result: "second" })
        expect(row.errors).toMatchObject([
            {
                attempt: 1,
                name: "AttemptTimeoutError",
                message: `attempt 1 of job ${id} timed out`,
                stack: null,
            },
        ])
        expect(reasons).toEqual([expect.any(AttemptTimeoutError)])
        expect(reasons[0]).toMatchObject({ code: "CUCKMQ_ATTEMPT_TIMEOUT" })
        // What the first attempt does in the end changes nothing.
        gate.open()
        await eventually(() => told(queue, "worker-job-finalize-success").length === 1)
        expect(told(queue, "worker-job-error")).toMatchObject([
            { attempt: 1, error: reasons[0], retryDelayMs: 0 },
        ])
    })

    it("is the last one when no other is left", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, (_, { signal }) => aborted(signal), { attemptTimeoutMs: 20 })
        queue.worker()
        expect(await finalizedJob(queue, await job.defer({ payload: {} }))).toMatchObject({
            outcome: "failed",
            reason: "error",
            attempt: 1,
        })
    })

    it("does not outlive the job's own time", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, (_, { signal }) => aborted(signal), {
            attemptTimeoutMs: 60_000,
            timeoutIntervalMs: 50,
            numAttempts: 3,
        })
        queue.worker()
        expect(await finalizedJob(queue, await job.defer({ payload: {} }))).toMatchObject({
            reason: "timeout",
            attempt: 1,
        })
    })

    it("is counted from its own start", async () => {
        const queue = await makeQueue()
        let numRuns = 0
        // Each takes its time, and together they take more than one may.
        const job = define(
            queue.config,
            (_, context) =>
                new Promise((resolve, reject) => {
                    numRuns++
                    setTimeout(() => (numRuns === 3 ? resolve("done") : reject(new Error("again"))), 40)
                    context.signal.addEventListener("abort", () => reject(context.signal.reason))
                }),
            { numAttempts: 2, attemptTimeoutMs: 5_000 },
        )
        queue.worker()
        const row = await finalizedJob(queue, await job.defer({ payload: {} }))
        expect(row).toMatchObject({ outcome: "succeeded", result: "done", attempt: 3 })
    })

    it("has a limit that makes sense, or none", async () => {
        const queue = await makeQueue()
        const options = { config: queue.config, name: "limited", jobFunction: () => undefined }
        for (const attemptTimeoutMs of [0, -1, Number.NaN, "1" as never])
            expect(() => new JobDefinition({ ...options, attemptTimeoutMs })).toThrow(InvalidOptionError)
        expect(new JobDefinition({ ...options, attemptTimeoutMs: null }).name).toBe("limited")
    })
})
