import { describe, expect, it } from "vitest"
import { JobDefinition } from "../../src/index.ts"
import { finalizedJob, finalizedJobs } from "../support/finalized.ts"
import { inTransaction } from "../support/transaction.ts"
import { makeQueue, type Queue } from "../support/with-schema.ts"

function makeNoted(queue: Queue) {
    const ranIDs: number[] = []
    const noted = new JobDefinition({
        config: queue.config,
        name: "noted",
        jobFunction: (_: object, { jobID }) => void ranIDs.push(jobID),
    })
    noted.register()
    return { noted, ranIDs }
}

/** Milliseconds between two columns of a finalized job, by the database's clock. */
async function msBetween(queue: Queue, params: { id: number; from: string; to: string }): Promise<number> {
    const { rows } = await queue.sql.query(
        `select date_part('epoch', ${params.to} - ${params.from}) * 1000 as ms
        from ${queue.schema}.job_history where id = $1`,
        [params.id],
    )
    return Number(rows[0]?.ms)
}

describe("a delayed job", () => {
    it("starts when delayMs has passed, without waiting for a poll", async () => {
        const queue = await makeQueue()
        const { noted } = makeNoted(queue)
        queue.worker({ processIntervalMs: 60_000 })
        const id = await noted.defer({ payload: {}, delayMs: 250 })
        await finalizedJob(queue, id)
        expect(await msBetween(queue, { id, from: "created_at", to: "due_at" })).toBeCloseTo(250, 3)
        expect(await msBetween(queue, { id, from: "due_at", to: "claimed_at" })).toBeGreaterThanOrEqual(0)
    })

    it("starts at runAt", async () => {
        const queue = await makeQueue()
        const { noted } = makeNoted(queue)
        queue.worker({ processIntervalMs: 60_000 })
        const runAt = new Date(Date.now() + 250)
        const id = await noted.defer({ payload: {}, runAt })
        const row = await finalizedJob(queue, id)
        expect(new Date(row.due_at as string)).toEqual(runAt)
        expect(await msBetween(queue, { id, from: "due_at", to: "claimed_at" })).toBeGreaterThanOrEqual(0)
    })

    it("starts at once when runAt is past, and times out from now on, not from then", async () => {
        const queue = await makeQueue()
        const { noted } = makeNoted(queue)
        queue.worker({ processIntervalMs: 60_000 })
        const runAt = new Date("2001-01-01T00:00:00.123Z")
        const id = await noted.defer({ payload: {}, runAt })
        const row = await finalizedJob(queue, id)
        expect(row).toMatchObject({ outcome: "succeeded" })
        expect(new Date(row.due_at as string)).toEqual(runAt)
    })

    it("starts at once with delayMs 0", async () => {
        const queue = await makeQueue()
        const { noted } = makeNoted(queue)
        await noted.defer({ payload: {}, delayMs: 0 })
        expect(await queue.jobs()).toMatchObject([{ state: "ready" }])
    })

    it("takes its turn by the time that it is due, not by that of its deferral", async () => {
        const queue = await makeQueue()
        const { noted, ranIDs } = makeNoted(queue)
        queue.worker({ processIntervalMs: 60_000 })
        const [third = 0, second = 0, first = 0] = await noted.deferMany([
            { payload: {}, delayMs: 500 },
            { payload: {}, delayMs: 300 },
            { payload: {}, delayMs: 100 },
        ])
        await finalizedJobs(queue, [first, second, third])
        expect(ranIDs).toEqual([first, second, third])
    })

    it("holds up no job that is due", async () => {
        const queue = await makeQueue()
        const { noted, ranIDs } = makeNoted(queue)
        await noted.deferMany(Array.from({ length: 100 }, () => ({ payload: {}, delayMs: 3_600_000 })))
        queue.worker()
        const id = await noted.defer({ payload: {} })
        await finalizedJob(queue, id)
        expect(ranIDs).toEqual([id])
        expect((await queue.jobs()).map((job) => job.state)).toEqual(Array(100).fill("delayed"))
    })

    it("may be deferred together with others that are due", async () => {
        const queue = await makeQueue()
        const { noted, ranIDs } = makeNoted(queue)
        queue.worker({ processIntervalMs: 60_000 })
        const [later = 0, now = 0, soon = 0] = await noted.deferMany([
            { payload: {}, runAt: new Date(Date.now() + 3_600_000) },
            { payload: {} },
            { payload: {}, delayMs: 100 },
        ])
        await finalizedJobs(queue, [now, soon])
        expect(ranIDs).toEqual([now, soon])
        expect(await queue.jobs()).toMatchObject([{ state: "delayed" }])
        expect(Number((await queue.jobs())[0]?.id)).toBe(later)
    })

    it("is found by polling when it was deferred in a transaction", async () => {
        const queue = await makeQueue()
        const { noted } = makeNoted(queue)
        queue.worker({ processIntervalMs: 20 })
        await finalizedJob(queue, await noted.defer({ payload: {} }))
        const id = await inTransaction(queue, (client) => noted.defer({ payload: {}, delayMs: 50, client }))
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded" })
    })

    it("is run once, by one of several workers that wait for it", async () => {
        const queue = await makeQueue()
        const { noted, ranIDs } = makeNoted(queue)
        for (let i = 0; i < 4; i++) queue.worker({ processIntervalMs: 20, concurrency: 10 })
        const ids = await noted.deferMany(
            Array.from({ length: 200 }, (_, i) => ({ payload: {}, delayMs: 50 + (i % 10) * 10 })),
        )
        await finalizedJobs(queue, ids)
        expect(ranIDs.sort((a, b) => a - b)).toEqual(ids)
    })
})
