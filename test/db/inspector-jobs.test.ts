import { describe, expect, it } from "vitest"
import { Inspector, InvalidOptionError, type JobPage, type ListJobsOptions } from "../../src/index.ts"
import { type AnyPayload, aborted, define } from "../support/define.ts"
import { finalizedJobs } from "../support/finalized.ts"
import { eventually, makeQueue, type Queue } from "../support/with-schema.ts"

const HOUR_MS = 60 * 60_000

type Given = Awaited<ReturnType<typeof makeMixedQueue>>

/** A queue with a job in each state, and an inspector of it. */
async function makeMixedQueue() {
    const queue = await makeQueue()
    const job = define(
        queue.config,
        async ({ message, waits }, { signal }) => {
            if (waits === true) return aborted(signal)
            if (message !== undefined) throw new TypeError(String(message))
            return { ok: true }
        },
        { group: { key: ({ to = "nobody" }) => String(to) } },
    )
    const elsewhere = define(queue.config, () => undefined, { name: "elsewhere", channel: "other" })
    queue.worker({ name: "burrow", concurrency: 10 })
    const [done = 0, failed = 0, running = 0] = await job.deferMany([
        { payload: { n: 1, tags: ["a", "b"] } },
        { payload: { n: 2, message: "no such bucket", nested: { x: 1, y: 2 } } },
        { payload: { waits: true, to: "ada" } },
    ])
    const ready = await elsewhere.defer({ payload: { n: 1 }, priority: 3 })
    const delayed = await job.defer({ payload: { to: "ada" }, delayMs: HOUR_MS })
    const blocked = await job.defer({ payload: { n: 7 }, dependencies: [delayed] })
    await finalizedJobs(queue, [done, failed])
    const inspector = new Inspector({ config: queue.config })
    await eventually(async () => (await inspector.job(running))?.state === "running")
    return { queue, inspector, ids: { done, failed, running, ready, delayed, blocked } }
}

/** Moves when jobs were deferred so many minutes back, one more for each job that came before. */
async function deferredMinutesApart({ sql, schema }: Queue, lastID: number): Promise<void> {
    for (const table of ["job", "job_history"])
        await sql.query(
            `update ${schema}.${table} set created_at = clock_timestamp() - ($1 - id) * interval '1 min'`,
            [lastID],
        )
}

async function idsOf(page: Promise<JobPage>): Promise<number[]> {
    return (await page).jobs.map(({ jobID }) => jobID)
}

/** Each filter by itself, and some together. */
async function expectToBeFound({ inspector, ids }: Given): Promise<void> {
    const { done, failed, running, ready, delayed, blocked } = ids
    const list = (options: ListJobsOptions) => idsOf(inspector.jobs(options))
    const all = [done, failed, running, ready, delayed, blocked]
    expect(await list({})).toEqual([...all].reverse())
    expect(await list({ order: "oldest" })).toEqual(all)
    for (const [state, expected] of [
        ["succeeded", [done]],
        ["failed", [failed]],
        ["running", [running]],
        ["ready", [ready]],
        ["delayed", [delayed]],
        ["blocked", [blocked]],
        ["failing", []],
    ] as const)
        expect([state, await list({ state })]).toEqual([state, expected])
    expect(await list({ definition: "elsewhere" })).toEqual([ready])
    expect(await list({ definition: "unknown" })).toEqual([])
    expect(await list({ channel: "other" })).toEqual([ready])
    expect(await list({ key: "ada" })).toEqual([delayed, running])
    expect(await list({ key: "ad" })).toEqual([])
    expect(await list({ errorText: "bucket" })).toEqual([failed])
    expect(await list({ errorText: "%" })).toEqual([])
    expect(await list({ payload: { n: 1 } })).toEqual([ready, done])
    expect(await list({ payload: { n: 1, tags: ["b"] } })).toEqual([done])
    expect(await list({ payload: { nested: { y: 2 } }, state: "failed" })).toEqual([failed])
    expect(await list({ payload: { n: "1" } })).toEqual([])
}

/** Those of a time, when the jobs were deferred a minute apart. */
async function expectToBeFoundByTime({ queue, inspector, ids }: Given): Promise<void> {
    const { done, failed, running, ready, delayed, blocked } = ids
    const list = (options: ListJobsOptions) => idsOf(inspector.jobs(options))
    await deferredMinutesApart(queue, blocked)
    const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000)
    const [createdAfter, createdBefore] = [minutesAgo(3.5), minutesAgo(0.5)]
    expect(await list({ createdAfter })).toEqual([blocked, delayed, ready, running])
    expect(await list({ createdBefore })).toEqual([delayed, ready, running, failed, done])
    expect(await list({ createdAfter, createdBefore })).toEqual([delayed, ready, running])
    expect(await list({ createdAfter, createdBefore, order: "oldest" })).toEqual([running, ready, delayed])
    expect(await list({ createdAfter: minutesAgo(-60) })).toEqual([])
    expect(await list({ createdBefore: minutesAgo(60) })).toEqual([])
}

/** What a list tells of each, and where it goes on. */
async function expectPages({ inspector, ids }: Given): Promise<void> {
    const { jobs } = await inspector.jobs({ order: "oldest" })
    const noKeys = { group: "nobody", concurrency: null, rate: null }
    const time = expect.any(Date)
    const common = { channel: "_default", definition: "job", priority: 0, createdAt: time, dueAt: time }
    const taken = { claimedAt: time, numAttemptsUsed: 1, worker: "burrow", isCancelRequested: false }
    expect(jobs[0]).toEqual({
        ...{ ...common, ...taken, jobID: ids.done, state: "succeeded", finalizedAt: time },
        ...{ reason: null, errorMessage: null, keys: { ...noKeys, group: null } },
    })
    expect(jobs[1]).toMatchObject({ state: "failed", reason: "error", errorMessage: "no such bucket" })
    expect(jobs[2]).toEqual({
        ...{ ...common, ...taken, jobID: ids.running, state: "running", finalizedAt: null },
        ...{ reason: null, errorMessage: null, keys: { ...noKeys, group: "ada" } },
    })
    expect(jobs[3]).toMatchObject({ state: "ready", priority: 3, channel: "other", worker: null })
    for (const order of ["newest", "oldest"] as const) {
        const seen: number[] = []
        let after: string | null = null
        do {
            const options: ListJobsOptions = { order, limit: 2, ...(after === null ? {} : { after }) }
            const page: JobPage = await inspector.jobs(options)
            expect(page.jobs.length).toBeLessThanOrEqual(2)
            seen.push(...page.jobs.map(({ jobID }) => jobID))
            after = page.next
        } while (after !== null)
        const expected = Object.values(ids)
        expect(seen).toEqual(order === "oldest" ? expected : expected.reverse())
    }
}

/** What is told of a single one. */
async function expectDetails({ inspector, ids }: Given): Promise<void> {
    const time = expect.any(Date)
    expect(await inspector.job(ids.blocked + 1_000)).toBeNull()
    const unsaid = { progress: null, numLogs: 0 }
    const nothing = { cancelRequest: null, required: [], numRequired: 0, dependents: [], ...unsaid }
    expect(await inspector.job(ids.done)).toEqual({
        ...{ jobID: ids.done, definition: "job", channel: "_default", state: "succeeded" },
        ...{ payload: { n: 1, tags: ["a", "b"] }, result: { ok: true }, errors: [], priority: 0 },
        ...{ keys: { group: null, concurrency: null, rate: null } },
        ...{ numAttemptsUsed: 1, numAttemptsAllowed: null, worker: "burrow", leaseUntil: null },
        ...{ createdAt: time, firstDueAt: time, dueAt: time, claimedAt: time, finalizedAt: time },
        ...{ expiresAt: null, outcome: "succeeded", reason: null, ...nothing },
    })
    expect(await inspector.job(ids.failed)).toMatchObject({
        outcome: "failed",
        reason: "error",
        result: null,
        errors: [{ attempt: 1, at: time, worker: "burrow", name: "TypeError", message: "no such bucket" }],
    })
    expect(await inspector.job(ids.running)).toMatchObject({
        ...{ state: "running", numAttemptsUsed: 1, numAttemptsAllowed: 1, worker: "burrow" },
        ...{ claimedAt: time, leaseUntil: time, expiresAt: time, finalizedAt: null, outcome: null },
        keys: { group: "ada" },
    })
    expect(await inspector.job(ids.delayed)).toMatchObject({
        state: "delayed",
        dependents: [{ jobID: ids.blocked, definition: "job", state: "blocked" }],
    })
    expect(await inspector.job(ids.blocked)).toMatchObject({
        ...{ state: "blocked", numRequired: 1, claimedAt: null, worker: null },
        required: [{ jobID: ids.delayed, definition: "job", state: "delayed" }],
    })
}

describe("an inspector", () => {
    it("lists live and finalized jobs, whatever they are found by, and tells everything of each", async () => {
        const given = await makeMixedQueue()
        await expectToBeFound(given)
        await expectPages(given)
        await expectDetails(given)
        await expectToBeFoundByTime(given)
        await given.queue.config.jobs.cancel(given.ids.running)
    })

    it("refuses what it does not know, before anything is sent", async () => {
        const queue = await makeQueue({ isPrepared: false })
        const inspector = new Inspector({ config: queue.config })
        const wrong: [string, Record<string, unknown>][] = [
            ["limit", { limit: 101 }],
            ["limit", { limit: 0 }],
            ["state", { state: "waiting" }],
            ["order", { order: "up" }],
            ["definition", { definition: "" }],
            ["channel", { channel: 5 }],
            ["key", { key: "a\u001fb" }],
            ["createdAfter", { createdAfter: "yesterday" }],
            ["errorText", { errorText: "" }],
            ["payload", { payload: { at: new Date() } }],
            ["payload", { payload: { text: "x".repeat(70_000) } }],
            ["after", { after: "asc-1" }],
            ["after", { after: "1; drop table job" }],
            ["status", { status: "ready" }],
        ]
        for (const [option, options] of wrong) {
            const error = await inspector.jobs(options as ListJobsOptions).catch((thrown: unknown) => thrown)
            expect(error).toBeInstanceOf(InvalidOptionError)
            expect(error).toMatchObject({ option })
        }
        expect(() => new Inspector({ config: {} as never })).toThrow(InvalidOptionError)
        await expect(inspector.jobs()).rejects.toMatchObject({ code: "CUCKMQ_SCHEMA_NOT_PREPARED" })
        await expect(inspector.counts()).rejects.toMatchObject({ code: "CUCKMQ_SCHEMA_NOT_PREPARED" })
    })

    it("tells that a job is to be cancelled", async () => {
        const queue = await makeQueue()
        const inspector = new Inspector({ config: queue.config })
        let end = () => {}
        const job = define(queue.config, (_: AnyPayload) => new Promise<void>((resolve) => (end = resolve)))
        queue.worker({ processIntervalMs: HOUR_MS })
        const id = await job.defer({ payload: {} })
        await eventually(async () => (await inspector.job(id))?.state === "running")
        const cancel = `update ${queue.schema}.job set cancelled_at = clock_timestamp(), cancel_reason = 'enough'`
        await queue.sql.query(cancel)
        expect(await inspector.job(id)).toMatchObject({
            cancelRequest: { requestedAt: expect.any(Date), reason: "enough" },
        })
        expect((await inspector.jobs()).jobs).toMatchObject([{ isCancelRequested: true }])
        end()
    })
})
