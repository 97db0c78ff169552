import { describe, expect, it } from "vitest"
import { InvalidOptionError } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalizedJob, finalizedJobs, rowID } from "../support/finalized.ts"
import { inTransaction } from "../support/transaction.ts"
import { eventually, makeQueue, type Queue } from "../support/with-schema.ts"

const NO_SUCH_JOB = 2 ** 40

function cancelled(id: number, reason: string | null, attempt = 0) {
    return {
        outcome: "failed",
        reason: "cancelled",
        attempt,
        worker: null,
        result: null,
        errors: [
            {
                attempt,
                name: "JobCancelledError",
                message: `job ${id} was cancelled${reason === null ? "" : `: ${reason}`}`,
                worker: null,
                stack: null,
                at: expect.any(String),
            },
        ],
    }
}

function eventsOf(queue: Queue, id: number): string[] {
    return queue.events
        .filter((event) => "jobID" in event && event.jobID === id)
        .map((event) => event.eventType)
}

describe("a job that waits", () => {
    it.each(["ready", "delayed", "blocked", "unmet", "exhausted"])(
        "and is %s is finalized as failed when it is cancelled, with the reason, by no daemon",
        async (state) => {
            const queue = await makeQueue()
            const { sql, schema } = queue
            const job = define(queue.config, () => undefined)
            const id = await job.defer({ payload: { kept: true } })
            await sql.query(`update ${schema}.job set state = $1, num_blockers = 1`, [state])
            const { jobs } = queue.otherConfig()
            expect(await jobs.cancel(id, { reason: "a typo" })).toBe("cancelled")
            expect(await queue.jobs()).toEqual([])
            expect(await queue.history()).toMatchObject([
                { ...cancelled(id, "a typo"), id: rowID(id), payload: { kept: true } },
            ])
            expect(await jobs.cancel(id)).toBe("finalized")
        },
    )

    it("never runs once it is cancelled, and needs no reason", async () => {
        const queue = await makeQueue()
        const ran: unknown[] = []
        const job = define(queue.config, ({ which }) => void ran.push(which))
        const ids = await job.deferMany([1, 2, 3].map((which) => ({ payload: { which } })))
        expect(await queue.config.jobs.cancel(ids[1] as number)).toBe("cancelled")
        queue.worker()
        const rows = await finalizedJobs(queue, ids)
        expect(rows[1]).toMatchObject(cancelled(ids[1] as number, null))
        expect(ran).toEqual([1, 3])
    })

    it("keeps the errors of its attempts", async () => {
        const queue = await makeQueue()
        const job = define(
            queue.config,
            () => {
                throw new Error("busy")
            },
            { numAttempts: 5, retryDelayMs: 3_600_000 },
        )
        const worker = queue.worker()
        const id = await job.defer({ payload: {} })
        await eventually(async () => (await queue.jobs())[0]?.state === "delayed")
        await worker.stop()
        await queue.config.jobs.cancel(id)
        expect(await finalizedJob(queue, id)).toMatchObject({
            reason: "cancelled",
            attempt: 1,
            errors: [{ message: "busy" }, { attempt: 1, name: "JobCancelledError" }],
        })
    })

    it("fails those that depend on it, however long the chain is", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        const first = await job.defer({ payload: {}, delayMs: 3_600_000 })
        const second = await job.defer({ payload: {}, dependencies: [first] })
        const third = await job.defer({ payload: {}, dependencies: [second] })
        expect(await queue.config.jobs.cancel(first)).toBe("cancelled")
        expect(await queue.jobs()).toMatchObject([
            { id: rowID(second), state: "unmet" },
            { state: "blocked" },
        ])
        queue.worker()
        expect(await finalizedJobs(queue, [second, third])).toMatchObject([
            { reason: "unmet-dependencies" },
            { reason: "unmet-dependencies" },
        ])
        const { rows } = await queue.sql.query(`select * from ${queue.schema}.job_dependency`)
        expect(rows).toEqual([])
    })

    it("leaves alone what it depends on", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => "done")
        const required = await job.defer({ payload: {}, delayMs: 100 })
        const dependent = await job.defer({ payload: {}, dependencies: [required] })
        expect(await queue.config.jobs.cancel(dependent)).toBe("cancelled")
        queue.worker()
        expect(await finalizedJob(queue, required)).toMatchObject({ outcome: "succeeded", result: "done" })
        expect(await finalizedJob(queue, dependent)).toMatchObject({ reason: "cancelled" })
    })
})

describe("many jobs that are cancelled together", () => {
    it("are told of in the order given, each for itself", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        const [done = 0] = await job.deferMany([{ payload: {} }])
        const worker = queue.worker()
        await finalizedJob(queue, done)
        worker.stop()
        await worker.join()
        const [ready = 0, delayed = 0] = await job.deferMany([
            { payload: {} },
            { payload: {}, delayMs: 1_000 },
        ])
        expect(
            await queue.config.jobs.cancelMany([delayed, NO_SUCH_JOB, ready, done, ready], { reason: "all" }),
        ).toEqual(["cancelled", "not-found", "cancelled", "finalized", "cancelled"])
        expect(await queue.config.jobs.cancelMany([])).toEqual([])
        expect(await queue.jobs()).toEqual([])
    })

    it("may be more than fit into a statement", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        const ids = await job.deferMany(Array.from({ length: 2_345 }, () => ({ payload: {} })))
        expect(await queue.config.jobs.cancelMany(ids.toReversed())).toEqual(ids.map(() => "cancelled"))
        expect(await queue.jobs()).toEqual([])
        expect((await queue.history()).map(({ reason }) => reason)).toEqual(ids.map(() => "cancelled"))
    })
})

describe("a job that is cancelled in a transaction of the caller's", () => {
    it("never runs once that commits, and is finalized by a worker", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        const ids = await job.deferMany([{ payload: {} }, { payload: {}, delayMs: 3_600_000 }])
        const results = await inTransaction(queue, (client) =>
            queue.config.jobs.cancelMany(ids, { client, reason: "undone" }),
        )
        expect(results).toEqual(["cancelled", "cancelled"])
        queue.worker()
        const [id = 0] = ids
        expect(await finalizedJob(queue, id)).toMatchObject(cancelled(id, "undone"))
        await eventually(() => eventsOf(queue, id).length > 0)
        expect(eventsOf(queue, id)).toEqual(["worker-job-finalize-failure"])
    })

    it("is finalized by an orchestrator, where there is no worker", async () => {
        const queue = await makeQueue()
        const id = await define(queue.config, () => undefined).defer({ payload: {} })
        await inTransaction(queue, (client) => queue.config.jobs.cancel(id, { client }))
        queue.orchestrator()
        expect(await finalizedJob(queue, id)).toMatchObject(cancelled(id, null))
        await eventually(() => eventsOf(queue, id).length > 0)
        expect(eventsOf(queue, id)).toEqual(["orchestrator-job-finalize-failure-cancelled"])
    })

    it("runs when that is rolled back", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => "ran")
        const id = await job.defer({ payload: {} })
        await inTransaction(queue, async (client) => {
            expect(await queue.config.jobs.cancel(id, { client })).toBe("cancelled")
            throw new Error("undo")
        }).catch(() => undefined)
        queue.worker()
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded", result: "ran", token: 1 })
    })

    it("may have been deferred there", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        const id = await inTransaction(queue, async (client) => {
            const deferred = await job.defer({ payload: {}, client })
            expect(await queue.config.jobs.cancel(deferred, { client })).toBe("cancelled")
            return deferred
        })
        queue.worker()
        expect(await finalizedJob(queue, id)).toMatchObject({ reason: "cancelled", token: 1, attempt: 0 })
    })

    it("is refused outside of one", async () => {
        const queue = await makeQueue()
        const id = await define(queue.config, () => undefined).defer({ payload: {} })
        const cancel = queue.config.jobs.cancel(id, { client: queue.pool as never })
        await expect(cancel).rejects.toThrow(InvalidOptionError)
        await expect(cancel).rejects.toThrow("expected `client` to be inside a transaction")
        expect(await queue.jobs()).toMatchObject([{ state: "ready", cancelled_at: null }])
    })
})
