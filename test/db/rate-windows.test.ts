import { describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { quoteSchema } from "../../src/db/identifier.ts"
import { InvalidPayloadError, type RateLimit } from "../../src/index.ts"
import { deleteDefinitions } from "../../src/statements/definitions.ts"
import { type AnyPayload, define } from "../support/define.ts"
import { finalized } from "../support/finalized.ts"
import { claimIn, times } from "../support/gated.ts"
import { eventually, makeQueue, type Queue } from "../support/with-schema.ts"

const byKey = (payload: AnyPayload) => String(payload.key)

/** Instants in milliseconds, and how much was released then. */
type Release = readonly [atMs: number, weight: number]

/** The most that was released within any window of a length. */
function mostWithin(releases: readonly Release[], perMs: number): number {
    const sums = releases.map(([endMs]) => {
        const inWindow = releases.filter(([atMs]) => atMs <= endMs && atMs > endMs - perMs)
        return inWindow.reduce((sum, [, weight]) => sum + weight, 0)
    })
    return Math.max(...sums)
}

/** When the finalized jobs of a key were taken from the queue, by the database's clock. */
async function releasesOf({ sql, schema }: Queue, key?: string): Promise<Release[]> {
    const { rows } = await sql.query(
        `select date_part('epoch', claimed_at) * 1000 as ms, payload->>'weight' as weight
        from ${schema}.job_history where $1::text is null or payload->>'key' = $1 order by claimed_at`,
        [key ?? null],
    )
    return rows.map(({ ms, weight }) => [Number(ms), Number(weight ?? 1)])
}

/** Rounding of a timestamp to microseconds, as a double. */
const EPSILON_MS = 0.01

describe("a definition with rateLimit", () => {
    it("has no more jobs released in any window than it may, over several workers and Configs", async () => {
        const queue = await makeQueue()
        const rateLimit = { max: 5, perMs: 100 }
        const job = define(queue.config, () => undefined, { rateLimit })
        const other = queue.otherConfig()
        define(other, () => undefined, { rateLimit })
        await job.deferMany(times(32))
        for (const config of [queue.config, queue.config, other, other])
            queue.worker({ config, concurrency: 3, processIntervalMs: 60_000 })
        await finalized(queue, 32)
        expect(mostWithin(await releasesOf(queue), 100 - EPSILON_MS)).toBeLessThanOrEqual(5)
    })

    it("counts each key by itself, and no key holds up another", async () => {
        const queue = await makeQueue()
        const rateLimit: RateLimit<AnyPayload> = { max: 2, perMs: 80, key: byKey }
        const job = define(queue.config, () => undefined, { rateLimit })
        await job.deferMany([
            ...times(200, { key: "busy" }),
            ...times(8, { key: "a" }),
            ...times(8, { key: "b" }),
        ])
        queue.worker({ concurrency: 5 })
        await eventually(async () => (await releasesOf(queue, "a")).length === 8)
        await eventually(async () => (await releasesOf(queue, "b")).length === 8)
        for (const key of ["a", "b", "busy"])
            expect(mostWithin(await releasesOf(queue, key), 80 - EPSILON_MS)).toBeLessThanOrEqual(2)
        expect((await queue.jobs()).length).toBeGreaterThan(100)
    })

    it("counts retries", async () => {
        const queue = await makeQueue()
        const releases: Release[] = []
        const job = define(
            queue.config,
            async (_payload, { jobID }) => {
                const claimed = `select date_part('epoch', claimed_at) * 1000 as ms from ${queue.schema}.job where id = $1`
                const { rows } = await queue.sql.query(claimed, [jobID])
                releases.push([Number(rows[0]?.ms), 1])
                throw new Error("again")
            },
            { rateLimit: { max: 2, perMs: 60 }, numAttempts: 3 },
        )
        await job.deferMany(times(2))
        queue.worker({ concurrency: 4 })
        await finalized(queue, 2)
        expect(releases).toHaveLength(8)
        expect(mostWithin(releases, 60 - EPSILON_MS)).toBeLessThanOrEqual(2)
    })

    it("counts what jobs weigh, and lets none overtake a heavy one in its lane", async () => {
        const queue = await makeQueue()
        const weight = (payload: AnyPayload) => Number(payload.weight)
        const job = define(queue.config, () => undefined, { rateLimit: { max: 5, perMs: 3_600_000, weight } })
        const weights = [2, 1, 4, 1, 1]
        await job.deferMany(weights.map((each) => ({ payload: { weight: each } })))
        const claim = await claimIn(queue)
        expect(claim.jobs.map(({ payload }) => JSON.parse(payload).weight)).toEqual([2, 1])
        expect(claim.nextReleaseMs).toBeGreaterThan(3_500_000)
        expect((await claimIn(queue)).jobs).toEqual([])
    })

    it("lets the whole rate through again when the window has passed, and not before", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined, { rateLimit: { max: 3, perMs: 3_600_000 } })
        await job.deferMany(times(10))
        expect((await claimIn(queue, { limit: 2 })).jobs).toHaveLength(2)
        const age = (ms: number) =>
            queue.sql.query(
                `update ${queue.schema}.rate_window set released_at = array(
                    select at - $1 * interval '1 ms' from unnest(released_at) as at
                )`,
                [ms],
            )
        await age(3_590_000)
        expect((await claimIn(queue)).jobs).toHaveLength(1)
        expect((await claimIn(queue)).jobs).toHaveLength(0)
        await age(10_000)
        expect((await claimIn(queue)).jobs).toHaveLength(2)
        expect(await claimIn(queue)).toMatchObject({ jobs: [], hasMore: false })
    })

    it("remembers a bounded number of releases, and none for shorter than its window", async () => {
        const queue = await makeQueue()
        const perMs = 320
        const job = define(queue.config, () => undefined, { rateLimit: { max: 150, perMs } })
        await job.deferMany(times(200))
        for (let n = 0; n < 200; n++) await claimIn(queue, { limit: 1 })
        const claimed = `select date_part('epoch', claimed_at) * 1000 as ms from ${queue.schema}.job where token > 0`
        const { rows } = await queue.sql.query(claimed)
        const releases = rows.map(({ ms }): Release => [Number(ms), 1])
        expect(mostWithin(releases, perMs - EPSILON_MS)).toBeLessThanOrEqual(150)
        const windows = await queue.sql.query(
            `select cardinality(released_at) as num from ${queue.schema}.rate_window`,
        )
        expect(Number(windows.rows[0]?.num)).toBeLessThanOrEqual(66)
    })

    it("leaves nothing behind of keys that are idle", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined, { rateLimit: { max: 1, perMs: 1, key: byKey } })
        await job.deferMany(Array.from({ length: 20 }, (_, key) => ({ payload: { key } })))
        expect((await claimIn(queue, { limit: 20 })).jobs).toHaveLength(20)
        const { run } = coreOf(queue.config)
        const num = `select count(*) as num from ${queue.schema}.rate_window`
        await eventually(async () => {
            await deleteDefinitions({ run, schema: quoteSchema(queue.schemaName), keepMs: 60_000 })
            return Number((await queue.sql.query(num)).rows[0]?.num) === 0
        })
    })

    it.each([
        ["throws", () => JSON.parse("{")],
        ["is no number", () => "1"],
        ["is zero", () => 0],
        ["is broken", () => 1.5],
        ["is more than may ever be released", () => 6],
    ])("refuses a job whose weight %s", async (_what, weight) => {
        const queue = await makeQueue()
        const rateLimit = { max: 5, perMs: 1, weight: weight as () => number }
        const job = define(queue.config, () => undefined, { rateLimit })
        await expect(job.defer({ payload: {} })).rejects.toThrow(InvalidPayloadError)
    })
})

describe("rateLimited", () => {
    it("gives the job back to its place, uncharged, and holds its key for so long", async () => {
        const queue = await makeQueue()
        const started: [unknown, number][] = []
        const job = define(
            queue.config,
            (payload, context) => {
                started.push([payload.n, context.attempt])
                if (started.length === 1) return context.rateLimited(150)
                return undefined
            },
            { rateLimit: { max: 100, perMs: 1, key: byKey } },
        )
        await job.deferMany([
            { payload: { key: "a", n: 1 } },
            { payload: { key: "a", n: 2 } },
            { payload: { key: "b", n: 3 } },
        ])
        queue.worker({ processIntervalMs: 60_000 })
        await finalized(queue, 3)
        expect(started).toEqual([
            [1, 1],
            [3, 1],
            [1, 1],
            [2, 1],
        ])
        expect(queue.events).toContainEqual(
            expect.objectContaining({ eventType: "worker-job-rate-limit", delayMs: 150, attempt: 1 }),
        )
        const [[first = 0], [second = 0]] = (await releasesOf(queue, "a")) as [Release, Release]
        const [[other = 0]] = (await releasesOf(queue, "b")) as [Release]
        expect(Math.min(first, second) - other).toBeGreaterThan(50)
    })

    it("holds the whole definition where there is no key", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, (_payload, context) => context.rateLimited(3_600_000), {
            rateLimit: { max: 1, perMs: 1 },
        })
        await job.deferMany(times(3))
        queue.worker({ concurrency: 1 })
        await eventually(() => queue.events.some(({ eventType }) => eventType === "worker-job-rate-limit"))
        const claim = await claimIn(queue)
        expect(claim.jobs).toEqual([])
        expect(claim.nextReleaseMs).toBeGreaterThan(3_500_000)
        expect((await queue.jobs()).map(({ attempt, state }) => [attempt, state])).toEqual(
            Array.from({ length: 3 }, () => [0, "ready"]),
        )
    })

    it("fails the attempt of a definition without a rate limit, or with a wrong delay", async () => {
        const queue = await makeQueue()
        const plain = define(queue.config, (_payload, context) => context.rateLimited(1), { name: "plain" })
        const limited = define(queue.config, (_payload, context) => context.rateLimited(-1), {
            rateLimit: { max: 1, perMs: 1 },
        })
        await plain.defer({ payload: {} })
        await limited.defer({ payload: {} })
        queue.worker()
        for (const { errors } of await finalized(queue, 2))
            expect(errors).toMatchObject([{ name: "InvalidOptionError" }])
    })
})
