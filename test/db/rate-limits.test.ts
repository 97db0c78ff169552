import { describe, expect, it } from "vitest"
import { type Config, JobDefinition } from "../../src/index.ts"
import { finalized, finalizedJobs } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { eventually, makeQueue, type Queue } from "../support/with-schema.ts"

/** A registered definition that does nothing, or what it is given. */
function define(
    config: Config,
    options: { name?: string; releaseIntervalMs?: number; jobFunction?: () => unknown; numAttempts?: number },
) {
    const definition = new JobDefinition<object, unknown>({
        config,
        name: "limited",
        retryDelayMs: 0,
        jobFunction: () => undefined,
        ...options,
    })
    definition.register()
    return definition
}

const times = (num: number) => Array.from({ length: num }, () => ({ payload: {} }))

/** Milliseconds between one release of a definition's jobs and the next, by the database's clock. */
async function gapsOf(queue: Queue, name = "limited"): Promise<number[]> {
    const { rows } = await queue.sql.query(
        `select date_part('epoch', claimed_at - lag(claimed_at) over (order by claimed_at)) * 1000 as ms
        from ${queue.schema}.job_history
        join ${queue.schema}.job_definition on job_definition.id = definition_id and name = $1
        order by claimed_at`,
        [name],
    )
    return rows.slice(1).map((row) => Number(row.ms))
}

/** Rounding of a timestamp to microseconds, as a double. */
const EPSILON_MS = 0.01

describe("a definition with releaseIntervalMs", () => {
    it("releases one job an interval over several workers and Configs", async () => {
        const queue = await makeQueue()
        const limited = define(queue.config, { releaseIntervalMs: 60 })
        const other = queue.otherConfig()
        define(other, { releaseIntervalMs: 60 })
        await limited.deferMany(times(10))
        for (const config of [queue.config, queue.config, other, other]) {
            queue.worker({ config, concurrency: 5, processIntervalMs: 10 })
        }
        await finalized(queue, 10)
        const gaps = await gapsOf(queue)
        expect(gaps).toHaveLength(9)
        expect(Math.min(...gaps)).toBeGreaterThanOrEqual(60 - EPSILON_MS)
    })

    it("releases the first job at once and the next ones without waiting for polls", async () => {
        const queue = await makeQueue()
        const limited = define(queue.config, { releaseIntervalMs: 40 })
        queue.worker({ processIntervalMs: 60_000 })
        await limited.deferMany(times(4))
        await finalized(queue, 4)
        expect(Math.min(...(await gapsOf(queue)))).toBeGreaterThanOrEqual(40 - EPSILON_MS)
    })

    it("goes on when its job holds the only slot for longer than the interval", async () => {
        const queue = await makeQueue()
        const limited = define(queue.config, {
            releaseIntervalMs: 20,
            jobFunction: () => new Promise((resolve) => setTimeout(resolve, 60)),
        })
        queue.worker({ processIntervalMs: 60_000 })
        await limited.deferMany(times(4))
        await finalized(queue, 4)
    })

    it("counts retries as releases", async () => {
        const queue = await makeQueue()
        const claimedAt: string[] = []
        const limited = define(queue.config, {
            releaseIntervalMs: 50,
            numAttempts: 3,
            jobFunction: async () => {
                const { rows } = await queue.sql.query(
                    `select (date_part('epoch', claimed_at) * 1000)::text as ms from ${queue.schema}.job`,
                )
                claimedAt.push(String(rows[0]?.ms))
                throw new Error("again")
            },
        })
        queue.worker({ concurrency: 2 })
        await limited.defer({ payload: {} })
        await finalized(queue, 1)
        const gaps = claimedAt.slice(1).map((ms, i) => Number(ms) - Number(claimedAt[i]))
        expect(gaps).toHaveLength(3)
        expect(Math.min(...gaps)).toBeGreaterThanOrEqual(50 - EPSILON_MS)
    })

    it("keeps the interval from its last release when its workers are replaced", async () => {
        const queue = await makeQueue()
        const limited = define(queue.config, { releaseIntervalMs: 150 })
        const first = queue.worker()
        await limited.defer({ payload: {} })
        await finalized(queue, 1)
        first.stop()
        await first.join()
        queue.worker({ processIntervalMs: 10 })
        await limited.defer({ payload: {} })
        await finalized(queue, 2)
        expect((await gapsOf(queue))[0]).toBeGreaterThanOrEqual(150 - EPSILON_MS)
    })

    it("releases its jobs in the order in which they were deferred", async () => {
        const queue = await makeQueue()
        const limited = define(queue.config, { releaseIntervalMs: 5 })
        const ids = await limited.deferMany(times(8))
        queue.worker({ concurrency: 4 })
        await finalizedJobs(queue, ids)
        const { rows } = await queue.sql.query(
            `select id from ${queue.schema}.job_history order by claimed_at`,
        )
        expect(rows.map((row) => Number(row.id))).toEqual(ids)
    })
})

describe("other definitions beside a rate-limited one", () => {
    it("are not held up by jobs that wait for their release", async () => {
        const queue = await makeQueue()
        const limited = define(queue.config, { releaseIntervalMs: 3_600_000 })
        const free = define(queue.config, { name: "free" })
        await limited.deferMany(times(100))
        await free.deferMany(times(100))
        queue.worker()
        await finalized(queue, 101)
        expect(await queue.jobs()).toHaveLength(99)
    })

    it("are released in one slot although a limited definition has no jobs", async () => {
        const queue = await makeQueue()
        define(queue.config, { name: "idle", releaseIntervalMs: 1 })
        const limited = define(queue.config, { releaseIntervalMs: 1 })
        queue.worker({ concurrency: 1, processIntervalMs: 60_000 })
        await limited.deferMany(times(3))
        await finalized(queue, 3)
    })

    it("have their own intervals, and take turns in one slot", async () => {
        const queue = await makeQueue()
        const started: string[] = []
        const note = (name: string) => () => void started.push(name)
        const first = define(queue.config, { name: "a", releaseIntervalMs: 1, jobFunction: note("a") })
        const second = define(queue.config, { name: "b", releaseIntervalMs: 1, jobFunction: note("b") })
        await first.deferMany(times(30))
        await second.deferMany(times(5))
        queue.worker({ concurrency: 1, processIntervalMs: 60_000 })
        await finalized(queue, 35)
        // The last of b's five jobs starts long before a's thirty are through.
        expect(started.lastIndexOf("b")).toBeLessThan(20)
    })

    it("do not keep the limited one from its release with a flood of their own", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        let numFlooded = 0
        const limited = define(queue.config, { releaseIntervalMs: 1, jobFunction: () => gate.open() })
        const flood = define(queue.config, {
            name: "flood",
            jobFunction: async () => {
                await new Promise((resolve) => setTimeout(resolve, 1))
                numFlooded++
            },
        })
        await flood.deferMany(times(3_000))
        queue.worker({ concurrency: 10 })
        await eventually(() => numFlooded > 200)
        await limited.defer({ payload: {} })
        await gate.opened
        expect(numFlooded).toBeLessThan(2_500)
    })
})
