import { describe, expect, it } from "vitest"
import { JobDefinition, type RetryDelay } from "../../src/index.ts"
import { finalized, finalizedJob } from "../support/finalized.ts"
import { eventually, makeQueue, type Queue } from "../support/with-schema.ts"

/** A definition whose runs fail until attempt `succeedsAt`. */
function makeFlaky(
    queue: Queue,
    options: { numAttempts?: number; retryDelayMs?: RetryDelay; succeedsAt?: number },
) {
    const { succeedsAt = Number.POSITIVE_INFINITY, ...rest } = options
    const attempts: number[] = []
    const flaky = new JobDefinition({
        config: queue.config,
        name: "flaky",
        ...rest,
        jobFunction: (_: object, { attempt }) => {
            attempts.push(attempt)
            if (attempt < succeedsAt) throw new Error(`attempt ${attempt}`)
            return `attempt ${attempt}`
        },
    })
    flaky.register()
    return { flaky, attempts }
}

/** How many milliseconds after their failures the attempts became due, by the database's clock. */
async function delaysOf(queue: Queue): Promise<number[]> {
    const { rows } = await queue.sql.query(
        `select date_part('epoch', due_at - (errors->-1->>'at')::timestamptz) * 1000 as ms from ${queue.schema}.job`,
    )
    return rows.map((row) => Number(row.ms))
}

function errorEvents(queue: Queue) {
    return queue.events.filter((event) => event.eventType === "worker-job-error")
}

describe("a job that fails", () => {
    it("is not attempted again when numAttempts is left at 0", async () => {
        const queue = await makeQueue()
        const { flaky, attempts } = makeFlaky(queue, {})
        queue.worker()
        const id = await flaky.defer({ payload: {} })
        expect(await finalizedJob(queue, id)).toMatchObject({
            outcome: "failed",
            reason: "error",
            attempt: 1,
        })
        expect(await queue.jobs()).toEqual([])
        expect(attempts).toEqual([1])
        expect(errorEvents(queue)).toMatchObject([{ jobID: id, attempt: 1, retryDelayMs: null }])
        await expect
            .poll(() => queue.events)
            .toContainEqual({
                eventType: "worker-job-finalize-failure",
                jobID: id,
                jobName: "flaky",
                reason: "error",
            })
    })

    it("is attempted three times when numAttempts is 2, then finalized with the error of each", async () => {
        const queue = await makeQueue()
        const { flaky, attempts } = makeFlaky(queue, { numAttempts: 2, retryDelayMs: 0 })
        queue.worker()
        const id = await flaky.defer({ payload: {} })
        const row = await finalizedJob(queue, id)
        expect(row).toMatchObject({
            outcome: "failed",
            reason: "error",
            attempt: 3,
            errors: [
                { attempt: 1, message: "attempt 1" },
                { attempt: 2, message: "attempt 2" },
                { attempt: 3, message: "attempt 3" },
            ],
        })
        expect(attempts).toEqual([1, 2, 3])
    })

    it("ends with the attempt that succeeds, and keeps the errors before it", async () => {
        const queue = await makeQueue()
        const { flaky, attempts } = makeFlaky(queue, { numAttempts: 5, retryDelayMs: 0, succeedsAt: 2 })
        queue.worker()
        const id = await flaky.defer({ payload: {} })
        expect(await finalizedJob(queue, id)).toMatchObject({
            outcome: "succeeded",
            attempt: 2,
            result: "attempt 2",
            errors: [{ attempt: 1, message: "attempt 1" }],
        })
        expect(attempts).toEqual([1, 2])
    })

    it("keeps the numAttempts that it was deferred with", async () => {
        const queue = await makeQueue()
        const producer = new JobDefinition({
            config: queue.otherConfig(),
            name: "flaky",
            numAttempts: 1,
            jobFunction: (_: object) => undefined,
        })
        const id = await producer.defer({ payload: {} })
        const { attempts } = makeFlaky(queue, { numAttempts: 0, retryDelayMs: 0 })
        queue.worker()
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "failed", attempt: 2 })
        expect(attempts).toEqual([1, 2])
    })
})

describe("the wait before the next attempt", () => {
    it("is nothing with retryDelayMs 0, whatever the worker's processIntervalMs", async () => {
        const queue = await makeQueue()
        const { flaky } = makeFlaky(queue, { numAttempts: 3, retryDelayMs: 0 })
        queue.worker({ processIntervalMs: 60_000 })
        const id = await flaky.defer({ payload: {} })
        expect(await finalizedJob(queue, id)).toMatchObject({ attempt: 4 })
    })

    it("is what retryDelayMs says, whatever the worker's processIntervalMs", async () => {
        const queue = await makeQueue()
        const { flaky } = makeFlaky(queue, { numAttempts: 1, retryDelayMs: 200 })
        queue.worker({ processIntervalMs: 60_000 })
        const id = await flaky.defer({ payload: {} })
        await finalizedJob(queue, id)
        const { rows } = await queue.sql.query(
            `select date_part('epoch', claimed_at - (errors->0->>'at')::timestamptz) * 1000 as ms
            from ${queue.schema}.job_history`,
        )
        expect(Number(rows[0]?.ms)).toBeGreaterThanOrEqual(199.9)
        expect(errorEvents(queue)[0]).toMatchObject({ retryDelayMs: 200 })
    })

    it("is asked of a function, for each attempt and error", async () => {
        const queue = await makeQueue()
        const asked: unknown[] = []
        const retryDelayMs = ({ attempt, error }: { attempt: number; error: unknown }) => {
            asked.push({ attempt, message: (error as Error).message })
            return attempt === 1 ? 0 : 3_600_000
        }
        const { flaky } = makeFlaky(queue, { numAttempts: 5, retryDelayMs })
        queue.worker()
        await flaky.defer({ payload: {} })
        await eventually(async () => (await queue.jobs())[0]?.state === "delayed")
        expect(asked).toEqual([
            { attempt: 1, message: "attempt 1" },
            { attempt: 2, message: "attempt 2" },
        ])
        expect((await delaysOf(queue))[0]).toBeCloseTo(3_600_000, -2)
    })

    it("is at most a second after the first attempt by default", async () => {
        const queue = await makeQueue()
        const { flaky } = makeFlaky(queue, { numAttempts: 1 })
        queue.worker()
        await flaky.deferMany(Array.from({ length: 20 }, () => ({ payload: {} })))
        await eventually(() => errorEvents(queue).filter(({ attempt }) => attempt === 1).length === 20)
        const delays = errorEvents(queue)
            .filter(({ attempt }) => attempt === 1)
            .map(({ retryDelayMs }) => retryDelayMs ?? -1)
        expect(delays).toHaveLength(20)
        expect(Math.min(...delays)).toBeGreaterThanOrEqual(0)
        expect(Math.max(...delays)).toBeLessThanOrEqual(1_000)
        // Jitter: jobs that failed together do not come back together.
        expect(new Set(delays).size).toBeGreaterThan(1)
    })

    for (const { fault, retryDelayMs } of [
        {
            fault: "throws",
            retryDelayMs: () => {
                throw new Error("no delay")
            },
        },
        { fault: "answers NaN", retryDelayMs: () => Number.NaN },
        { fault: "answers a negative number", retryDelayMs: () => -1 },
        { fault: "answers a promise", retryDelayMs: (() => Promise.resolve(0)) as unknown as RetryDelay },
    ] satisfies { fault: string; retryDelayMs: RetryDelay }[]) {
        it(`is the default when a function ${fault}, and an event tells`, async () => {
            const queue = await makeQueue()
            const { flaky } = makeFlaky(queue, { numAttempts: 1, retryDelayMs, succeedsAt: 2 })
            queue.worker()
            const id = await flaky.defer({ payload: {} })
            expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded", attempt: 2 })
            expect(errorEvents(queue)[0]?.retryDelayMs).toBeLessThanOrEqual(1_000)
            const told = queue.events.filter((event) => event.eventType === "daemon-error")
            expect(told).toMatchObject([{ activity: "retryDelayMs of flaky" }])
        })
    }

    it("holds up no other job", async () => {
        const queue = await makeQueue()
        const { flaky } = makeFlaky(queue, { numAttempts: 1, retryDelayMs: 3_600_000 })
        const other = new JobDefinition({
            config: queue.config,
            name: "other",
            jobFunction: (_: object) => undefined,
        })
        other.register()
        await flaky.deferMany(Array.from({ length: 10 }, () => ({ payload: {} })))
        await other.deferMany(Array.from({ length: 10 }, () => ({ payload: {} })))
        queue.worker()
        const rows = await finalized(queue, 10)
        expect(rows.map((row) => row.outcome)).toEqual(rows.map(() => "succeeded"))
        await eventually(async () => (await queue.jobs()).every((job) => job.state === "delayed"))
        expect(await queue.jobs()).toHaveLength(10)
    })
})
