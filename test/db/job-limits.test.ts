import { describe, expect, it } from "vitest"
import { AttemptTimeoutError } from "../../src/index.ts"
import { aborted, define } from "../support/define.ts"
import { finalizedJob, finalizedJobs } from "../support/finalized.ts"
import { eventually, makeQueue } from "../support/with-schema.ts"

describe("a job that is deferred with limits of its own", () => {
    it("is attempted as often as it says, and not as its definition does", async () => {
        const queue = await makeQueue()
        const job = define(
            queue.config,
            () => {
                throw new Error("again")
            },
            { numAttempts: 1 },
        )
        queue.worker()
        const ids = await job.deferMany([
            { payload: {} },
            { payload: {}, numAttempts: 3 },
            { payload: {}, numAttempts: 0 },
        ])
        const rows = await finalizedJobs(queue, ids)
        expect(rows.map(({ attempt }) => attempt)).toEqual([2, 4, 1])
    })

    it("times out when it says", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, (_, { signal }) => aborted(signal))
        queue.worker()
        const id = await job.defer({ payload: {}, timeoutIntervalMs: 50 })
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "failed", reason: "timeout" })
    })

    it("has attempts that take as long as it says, or any time", async () => {
        const queue = await makeQueue()
        const job = define(
            queue.config,
            async ({ takesMs }, { signal }) => {
                if (takesMs === undefined) return signal.reason ?? aborted(signal)
                await new Promise((resolve) => setTimeout(resolve, Number(takesMs)))
                return "in time"
            },
            { attemptTimeoutMs: 20 },
        )
        const patient = define(queue.config, (_, { signal }) => aborted(signal), { name: "patient" })
        queue.worker({ concurrency: 5 })
        const ids = [
            await job.defer({ payload: { takesMs: 100 }, attemptTimeoutMs: null }),
            await job.defer({ payload: { takesMs: 50 }, attemptTimeoutMs: 60_000 }),
            await patient.defer({ payload: {}, attemptTimeoutMs: 20 }),
        ]
        const rows = await finalizedJobs(queue, ids)
        expect(rows.map(({ outcome }) => outcome)).toEqual(["succeeded", "succeeded", "failed"])
        expect(rows[2]?.errors).toMatchObject([{ name: AttemptTimeoutError.name }])
    })

    it("keeps its time when it is put off", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, (_, context) => context.snooze(3_600_000))
        queue.worker({ concurrency: 2 })
        await job.deferMany([{ payload: {} }, { payload: {}, timeoutIntervalMs: 600_000 }])
        const hours = await eventually(async () => {
            const { rows } = await queue.sql.query(
                `select date_part('epoch', expires_at - due_at) / 3600.0 as hours from ${queue.schema}.job
                where state = 'delayed' order by id`,
            )
            return rows.length === 2 && rows.map((row) => Number(row.hours))
        })
        expect(hours[0]).toBeCloseTo(12, 3)
        expect(hours[1]).toBeCloseTo(1 / 6, 3)
    })

    it("may be delayed, depend on others, and be one of many that callers defer at the same time", async () => {
        const queue = await makeQueue()
        let numRuns = 0
        const job = define(queue.config, ({ fails }) => {
            numRuns++
            if (fails === true) throw new Error("fails")
        })
        queue.worker({ concurrency: 5 })
        const required = await job.defer({ payload: {}, delayMs: 20, numAttempts: 7 })
        const deferred = [
            job.defer({ payload: { fails: true }, numAttempts: 1 }),
            job.defer({ payload: { fails: true } }),
            job.defer({ payload: { fails: true }, delayMs: 10, numAttempts: 2 }),
            job.defer({ payload: { fails: true }, dependencies: [required], numAttempts: 3 }),
        ]
        const rows = await finalizedJobs(queue, await Promise.all(deferred))
        expect(rows.map(({ attempt }) => attempt)).toEqual([2, 1, 3, 4])
        expect(numRuns).toBe(11)
    })
})
