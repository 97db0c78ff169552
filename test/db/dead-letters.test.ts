import { describe, expect, it } from "vitest"
import { define } from "../support/define.ts"
import { finalizedJob, finalizedJobs } from "../support/finalized.ts"
import { eventually, makeQueue, type Queue } from "../support/with-schema.ts"

/** A definition whose jobs throw the message that their payload has, or succeed without one. */
function defineFailing(queue: Queue, options: { name?: string; numAttempts?: number } = {}) {
    return define(
        queue.config,
        ({ message }, { attempt }) => {
            if (message !== undefined) throw new TypeError(`${message} ${attempt}`)
            return "done"
        },
        options,
    )
}

/** Sets when jobs failed, the given minutes ago. */
async function failedAgo(queue: Queue, minutes: Record<number, number>): Promise<void> {
    for (const [id, ago] of Object.entries(minutes))
        await queue.sql.query(
            `update ${queue.schema}.job_history set finalized_at = clock_timestamp() - $2::integer * interval '1 min'
            where id = $1`,
            [id, ago],
        )
}

function minutesAgo(minutes: number): Date {
    return new Date(Date.now() - minutes * 60_000)
}

describe("dead letters", () => {
    it("are the jobs that failed, with all that their attempts threw, the newest first", async () => {
        const queue = await makeQueue()
        const job = defineFailing(queue, { numAttempts: 1 })
        queue.worker({ name: "burrow" })
        await finalizedJob(queue, await job.defer({ payload: {} }))
        const first = await job.defer({ payload: { message: "no", n: 1 } })
        await finalizedJob(queue, first)
        const second = await job.defer({ payload: { message: "nor" } })
        await finalizedJob(queue, second)
        const { deadLetters, next } = await queue.config.jobs.deadLetters()
        expect(next).toBeNull()
        expect(deadLetters.map(({ jobID }) => jobID)).toEqual([second, first])
        const error = { at: expect.any(Date), worker: "burrow", name: "TypeError", stack: expect.any(String) }
        expect(deadLetters[1]).toEqual({
            jobID: first,
            name: "job",
            reason: "error",
            payload: { message: "no", n: 1 },
            numAttempts: 2,
            errors: [
                { attempt: 1, message: "no 1", ...error },
                { attempt: 2, message: "no 2", ...error },
            ],
            createdAt: expect.any(Date),
            dueAt: expect.any(Date),
            failedAt: expect.any(Date),
            worker: "burrow",
        })
        const { rows } = await queue.sql.query(
            `select finalized_at from ${queue.schema}.job_history where id = $1`,
            [first],
        )
        expect(deadLetters[1]?.failedAt).toEqual(rows[0]?.finalized_at)
    })

    it("are found by definition, reason, time and error, and read page by page", async () => {
        const queue = await makeQueue()
        const [job, other] = [defineFailing(queue), defineFailing(queue, { name: "other" })]
        const dependent = define(queue.config, () => undefined, { name: "dependent" })
        const [a = 0, b = 0] = await job.deferMany([
            { payload: { message: "refused" }, delayMs: 20 },
            { payload: { message: "too late%" } },
        ])
        const c = await other.defer({ payload: { message: "refused again" } })
        const d = await dependent.defer({ payload: {}, dependencies: [a] })
        queue.worker({ concurrency: 5 })
        await finalizedJobs(queue, [a, b, c, d])
        await failedAgo(queue, { [a]: 40, [b]: 30, [c]: 20, [d]: 10 })
        const { jobs } = queue.config
        const found = async (options: Parameters<typeof jobs.deadLetters>[0]) =>
            (await jobs.deadLetters(options)).deadLetters.map(({ jobID }) => jobID)
        expect(await found({})).toEqual([d, c, b, a])
        expect(await found({ definition: "job" })).toEqual([b, a])
        expect(await found({ definition: "unknown" })).toEqual([])
        expect(await found({ reason: "unmet-dependencies" })).toEqual([d])
        expect(await found({ reason: "timeout" })).toEqual([])
        expect(await found({ errorText: "refused" })).toEqual([c, a])
        expect(await found({ errorText: "%" })).toEqual([b])
        expect(await found({ errorText: "refused", definition: "other" })).toEqual([c])
        expect(await found({ failedAfter: minutesAgo(35), failedBefore: minutesAgo(15) })).toEqual([c, b])
        const pages: number[][] = []
        let after: string | null = null
        do {
            const page: Awaited<ReturnType<typeof jobs.deadLetters>> = await jobs.deadLetters({
                limit: 3,
                ...(after === null ? {} : { after }),
            })
            pages.push(page.deadLetters.map(({ jobID }) => jobID))
            after = page.next
        } while (after !== null)
        expect(pages).toEqual([[d, c, b], [a]])
    })

    it("are all found where many of one instant are looked through for a few", async () => {
        const queue = await makeQueue()
        const job = defineFailing(queue)
        const worker = queue.worker()
        const id = await job.defer({ payload: { message: "seldom" } })
        await finalizedJob(queue, id)
        worker.stop()
        await worker.join()
        const copies = `insert into ${queue.schema}.job_history
            select (jsonb_populate_record(history, jsonb_build_object('id', id + n, 'errors', case when n % 2500 = 0
                then errors else '[{"message": "often"}]' end))).*
            from ${queue.schema}.job_history as history, generate_series(1, 5000) as n`
        await queue.sql.query(copies)
        const { jobs } = queue.config
        const page = await jobs.deadLetters({ errorText: "seldom" })
        expect(page.deadLetters.map(({ jobID }) => jobID)).toEqual([id + 5_000, id + 2_500, id])
        expect(page.next).toBeNull()
        expect(await jobs.replayMany({ errorText: "seldom" })).toBe(3)
        expect(await jobs.replayMany({ errorText: "often" })).toBe(4_998)
        expect((await jobs.deadLetters()).deadLetters).toEqual([])
        expect(await queue.jobs()).toHaveLength(5_001)
    })

    it("are kept apart from jobs that succeeded, and for longer", async () => {
        const queue = await makeQueue()
        const job = defineFailing(queue)
        queue.worker()
        const ids = [await job.defer({ payload: { message: "no" } }), await job.defer({ payload: {} })]
        await finalizedJobs(queue, ids)
        queue.orchestrator({ cleanIntervalMs: 10, finalizedJobSweepThresholdMs: 20 })
        await eventually(async () => (await queue.history()).length === 1)
        expect((await queue.config.jobs.deadLetters()).deadLetters).toMatchObject([{ jobID: ids[0] }])
    })

    it("keep their definition from being removed", async () => {
        const queue = await makeQueue()
        const job = defineFailing(queue)
        const worker = queue.worker()
        const id = await job.defer({ payload: { message: "no" } })
        await finalizedJob(queue, id)
        const config = queue.otherConfig()
        worker.stop()
        await worker.join()
        const isRetired = () =>
            queue.events.some(({ eventType }) => eventType === "orchestrator-stale-job-definition-sweep")
        const impatient = { cleanIntervalMs: 10, staleJobDefinitionSweepThresholdMs: 0 }
        queue.orchestrator({ config, ...impatient, finalizedJobSweepThresholdMs: 0 })
        await eventually(isRetired)
        expect(await config.jobs.replay(id)).toBe(true)
        const { rows } = await queue.sql.query(`select retired_by from ${queue.schema}.job_definition`)
        expect(rows).toEqual([{ retired_by: null }])
        expect(await queue.jobs()).toMatchObject([{ state: "ready" }])
    })
})
