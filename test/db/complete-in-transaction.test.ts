import { describe, expect, it } from "vitest"
import {
    CompletionNotCommittedError,
    InvalidCompletionError,
    InvalidOptionError,
    InvalidPayloadError,
    type JobContext,
    type SqlClient,
} from "../../src/index.ts"
import { define } from "../support/define.ts"
import { makeEffects } from "../support/effects.ts"
import { finalizedJob, finalizedJobs, rowID } from "../support/finalized.ts"
import { inTransaction } from "../support/transaction.ts"
import { eventually, makeQueue, type Queue } from "../support/with-schema.ts"

async function makeEffectsQueue() {
    const queue = await makeQueue()
    return { queue, effects: await makeEffects(queue) }
}

/** The events about jobs, once there is one of the type given. */
async function jobEvents(queue: Queue, last: string) {
    await eventually(() => queue.events.some(({ eventType }) => eventType === last))
    return queue.events.filter(({ eventType }) => !/^daemon-st/.test(eventType))
}

/** What a promise rejects with. */
function rejection(promise: Promise<unknown>): Promise<unknown> {
    return promise.then(
        () => undefined,
        (error: unknown) => error,
    )
}

describe("a job that is completed in its job function's transaction", () => {
    it("is a success with the result given, and its writes are there, once both are committed", async () => {
        const { queue, effects } = await makeEffectsQueue()
        const job = define(queue.config, async (_payload, context) => {
            await effects.inTransaction(context.attempt, (client) =>
                context.complete({ client, result: { given: true } }),
            )
            return "returned"
        })
        queue.worker({ name: "completer" })
        const jobID = await job.defer({ payload: { a: 1 } })
        expect(await finalizedJob(queue, jobID)).toMatchObject({
            outcome: "succeeded",
            reason: null,
            result: { given: true },
            payload: { a: 1 },
            worker: "completer",
            attempt: 1,
            token: 1,
            errors: null,
        })
        expect(await queue.jobs()).toEqual([])
        expect(await effects.attempts()).toEqual([1])
        const about = { jobID, jobName: "job", attempt: 1 }
        expect(await jobEvents(queue, "worker-job-finalize-success")).toEqual([
            { eventType: "worker-job-dequeue", ...about },
            { eventType: "worker-job-finalize-success", ...about },
        ])
    })

    it("has no result unless one is given, and keeps what earlier attempts threw", async () => {
        const { queue, effects } = await makeEffectsQueue()
        const job = define(
            queue.config,
            async (_payload, { attempt, complete }) => {
                if (attempt === 1) throw new Error("first")
                await effects.inTransaction(attempt, (client) => complete({ client }))
                return "returned"
            },
            { numAttempts: 1 },
        )
        queue.worker()
        const row = await finalizedJob(queue, await job.defer({ payload: {} }))
        expect(row).toMatchObject({ outcome: "succeeded", result: null, attempt: 2 })
        expect(row.errors).toMatchObject([{ attempt: 1, message: "first" }])
    })

    it("is attempted again when the transaction is rolled back by what was thrown in it", async () => {
        const { queue, effects } = await makeEffectsQueue()
        const job = define(
            queue.config,
            (_payload, { attempt, complete }) =>
                effects.inTransaction(attempt, async (client) => {
                    await complete({ client })
                    if (attempt === 1) throw new Error("rolled back")
                }),
            { numAttempts: 1 },
        )
        queue.worker()
        const jobID = await job.defer({ payload: {} })
        expect((await finalizedJob(queue, jobID)).errors).toMatchObject([{ message: "rolled back" }])
        expect(await effects.attempts()).toEqual([2])
        expect(
            (await jobEvents(queue, "worker-job-finalize-success")).map(({ eventType }) => eventType),
        ).toEqual([
            "worker-job-dequeue",
            "worker-job-error",
            "worker-job-dequeue",
            "worker-job-finalize-success",
        ])
    })

    it.each([
        ["again while attempts are left", 1, "succeeded", [2]],
        ["as failed on its last attempt", 0, "failed", []],
    ])(
        "ends %s when it was rolled back and the job function returns",
        async (_, numAttempts, outcome, written) => {
            const { queue, effects } = await makeEffectsQueue()
            const job = define(
                queue.config,
                async (_payload, { attempt, complete }) => {
                    const completed = effects.inTransaction(attempt, async (client) => {
                        await complete({ client })
                        if (attempt === 1) throw new Error("rolled back")
                    })
                    await completed.catch(() => undefined)
                },
                { numAttempts },
            )
            queue.worker()
            const row = await finalizedJob(queue, await job.defer({ payload: {} }))
            expect(row.outcome).toBe(outcome)
            expect(row.errors).toMatchObject([{ attempt: 1, name: "CompletionNotCommittedError" }])
            expect(await effects.attempts()).toEqual(written)
            const error = await eventually(() =>
                queue.events.find((event) => event.eventType === "worker-job-error"),
            )
            expect(error.error).toBeInstanceOf(CompletionNotCommittedError)
        },
    )

    it("is no success when complete threw and the job function does not care", async () => {
        const { queue } = await makeEffectsQueue()
        const job = define(queue.config, async (_payload, { complete }) => {
            await complete({ client: {} as SqlClient }).catch(() => undefined)
            return "as if nothing had happened"
        })
        queue.worker()
        expect(await finalizedJob(queue, await job.defer({ payload: {} }))).toMatchObject({
            outcome: "failed",
        })
        const error = await eventually(() =>
            queue.events.find((event) => event.eventType === "worker-job-error"),
        )
        expect(error.error).toMatchObject({ cause: expect.any(InvalidOptionError) })
    })

    it("is a success whatever the job function throws after the commit, which is told", async () => {
        const { queue, effects } = await makeEffectsQueue()
        const thrown = new Error("too late")
        const job = define(
            queue.config,
            async (_payload, { attempt, complete }) => {
                await effects.inTransaction(attempt, (client) => complete({ client }))
                throw thrown
            },
            { numAttempts: 1 },
        )
        queue.worker()
        const jobID = await job.defer({ payload: {} })
        expect(await finalizedJob(queue, jobID)).toMatchObject({ outcome: "succeeded", attempt: 1 })
        const about = { jobID, jobName: "job", attempt: 1 }
        expect(await jobEvents(queue, "daemon-error")).toEqual([
            { eventType: "worker-job-dequeue", ...about },
            { eventType: "worker-job-finalize-success", ...about },
            { eventType: "daemon-error", activity: expect.stringContaining("run job after"), error: thrown },
        ])
        expect(await effects.attempts()).toEqual([1])
    })

    it("can be completed again after a rollback, and only then", async () => {
        const { queue, effects } = await makeEffectsQueue()
        const errors: unknown[] = []
        let late: JobContext | undefined
        const job = define(queue.config, async (_payload, context) => {
            late = context
            const { attempt, complete } = context
            const rolledBack = effects.inTransaction(attempt, async (client) => {
                await complete({ client, result: "first" })
                throw new Error("once more")
            })
            await rolledBack.catch(() => undefined)
            await effects.inTransaction(attempt, async (client) => {
                const both = [complete({ client, result: "second" }), complete({ client, result: "beside" })]
                errors.push(await rejection(both[1] ?? Promise.resolve()))
                await both[0]
                errors.push(await rejection(complete({ client, result: "twice" })))
            })
            errors.push(await rejection(inTransaction(queue, (client) => complete({ client }))))
        })
        queue.worker()
        const jobID = await job.defer({ payload: {} })
        expect(await finalizedJob(queue, jobID)).toMatchObject({ outcome: "succeeded", result: "second" })
        await jobEvents(queue, "worker-job-finalize-success")
        errors.push(
            await rejection(
                inTransaction(queue, (client) => late?.complete({ client }) ?? Promise.resolve()),
            ),
        )
        expect(errors).toEqual(Array.from({ length: 4 }, () => expect.any(InvalidCompletionError)))
        expect(errors.map((error) => (error as Error).message.replace(/.*: /, ""))).toEqual([
            "it is being completed already",
            "it is completed already",
            "it is completed already",
            "its job function has ended",
        ])
        expect(await effects.attempts()).toEqual([1])
    })

    it("is left as it was by a result that cannot be kept, and so is the transaction", async () => {
        const { queue, effects } = await makeEffectsQueue()
        const circle: Record<string, unknown> = {}
        circle.self = circle
        const results = [() => 1, circle, "\u0000", "x".repeat(2 * 1024 * 1024), 1n]
        const errors: unknown[] = []
        const job = define(queue.config, (_payload, { attempt, complete }) =>
            effects.inTransaction(attempt, async (client) => {
                for (const result of results) errors.push(await rejection(complete({ client, result })))
                await complete({ client, result: "kept" })
            }),
        )
        queue.worker()
        const jobID = await job.defer({ payload: {} })
        expect(await finalizedJob(queue, jobID)).toMatchObject({ outcome: "succeeded", result: "kept" })
        for (const error of errors) {
            expect(error).toBeInstanceOf(InvalidPayloadError)
            expect(error).toMatchObject({ definition: "job", path: "result" })
        }
        expect(errors).toHaveLength(results.length)
        expect(await effects.attempts()).toEqual([1])
    })

    it("is not completed by a client that is none, or that is outside of a transaction", async () => {
        const { queue } = await makeEffectsQueue()
        const refused = [
            {},
            { client: undefined },
            { client: { query: "select" } },
            { client: queue.sql },
            { client: queue.sql, outcome: "failed" },
        ]
        const errors: unknown[] = []
        const job = define(queue.config, async (_payload, { complete }) => {
            for (const options of refused)
                errors.push(await rejection(complete(options as { client: SqlClient })))
        })
        queue.worker()
        const jobID = await job.defer({ payload: {} })
        expect(await finalizedJob(queue, jobID)).toMatchObject({ outcome: "failed" })
        for (const error of errors) expect(error).toBeInstanceOf(InvalidOptionError)
        expect(errors.map((error) => (error as InvalidOptionError).option)).toEqual([
            "client",
            "client",
            "client",
            "client",
            "outcome",
        ])
    })

    it("releases what depends on it by the same commit", async () => {
        const { queue, effects } = await makeEffectsQueue()
        const seen: unknown[] = []
        const job = define(
            queue.config,
            async ({ isRequired }, { attempt, complete }) => {
                if (isRequired !== true) return
                await effects.inTransaction(attempt, async (client) => {
                    await complete({ client })
                    const { rows } = await client.query(`select state from ${queue.schema}.job order by id`)
                    seen.push(rows.map(({ state }) => state))
                    if (attempt === 1) throw new Error("rolled back")
                })
            },
            { numAttempts: 1 },
        )
        const requiredID = await job.defer({ payload: { isRequired: true } })
        const otherID = await job.defer({ payload: {}, delayMs: 3_600_000 })
        const ids = await job.deferMany([
            { payload: {}, dependencies: [requiredID] },
            { payload: {}, dependencies: [requiredID], delayMs: 3_600_000 },
            { payload: {}, dependencies: [requiredID, otherID] },
        ])
        // It hears of the released jobs, or it would find them tomorrow.
        queue.worker({ processIntervalMs: 24 * 3_600_000 })
        const rows = await finalizedJobs(queue, [requiredID, ids[0] ?? 0])
        expect(rows.map(({ outcome }) => outcome)).toEqual(["succeeded", "succeeded"])
        const released = ["delayed", "ready", "delayed", "blocked"]
        expect(seen).toEqual([released, released])
        expect(await queue.jobs()).toMatchObject([
            { id: rowID(otherID), state: "delayed" },
            { id: rowID(ids[1] ?? 0), state: "delayed", num_blockers: 0 },
            { id: rowID(ids[2] ?? 0), state: "blocked", num_blockers: 1 },
        ])
        expect(await effects.attempts()).toEqual([2])
    })

    it("may defer what depends on it in the same transaction", async () => {
        const { queue, effects } = await makeEffectsQueue()
        let nextID = 0
        const next = define(queue.config, () => "next", { name: "next" })
        const job = define(queue.config, (_payload, { jobID, attempt, complete }) =>
            effects.inTransaction(attempt, async (client) => {
                nextID = await next.defer({ payload: {}, dependencies: [jobID], client })
                await complete({ client })
            }),
        )
        queue.worker()
        await finalizedJob(queue, await job.defer({ payload: {} }))
        expect(await finalizedJob(queue, nextID)).toMatchObject({ outcome: "succeeded", result: "next" })
    })

    it.each(["repeatable read", "serializable"] as const)(
        "and its dependents may be so in a transaction that is %s",
        async (isolation) => {
            const { queue, effects } = await makeEffectsQueue()
            const job = define(queue.config, async ({ isRequired }, { attempt, complete }) => {
                if (isRequired !== true) return
                await effects.inTransaction(attempt, (client) => complete({ client }), isolation)
            })
            const requiredID = await job.defer({ payload: { isRequired: true } })
            const dependentID = await job.defer({ payload: {}, dependencies: [requiredID] })
            queue.worker()
            const rows = await finalizedJobs(queue, [requiredID, dependentID])
            expect(rows.map(({ outcome }) => outcome)).toEqual(["succeeded", "succeeded"])
            expect(await effects.attempts()).toEqual([1])
        },
    )
})
