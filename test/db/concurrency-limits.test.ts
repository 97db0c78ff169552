import { describe, expect, inject, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { type ConcurrencyLimit, Config, InvalidPayloadError, JobDefinition } from "../../src/index.ts"
import { type AnyPayload, define } from "../support/define.ts"
import { finalized, finalizedJob } from "../support/finalized.ts"
import { waitsBefore } from "../support/flaky-pool.ts"
import { makeGate } from "../support/gate.ts"
import { claimIn, makeCensus, times } from "../support/gated.ts"
import { openDirectSession, untilWaitingForLock } from "../support/transaction.ts"
import { eventually, hasServer, makePool, makeQueue } from "../support/with-schema.ts"

/** An advisory lock that nothing else takes. */
const LOCK = 20_261_128

const PER_KEY: ConcurrencyLimit<AnyPayload> = { max: 2, key: (payload) => String(payload.key) }

describe("a definition with concurrencyLimit", () => {
    it("runs no more jobs at the same time than it may, over several workers and Configs", async () => {
        const queue = await makeQueue()
        const census = makeCensus()
        const options = { concurrencyLimit: { max: 3 } }
        const job = define(queue.config, (payload) => census.visit(payload), options)
        const other = queue.otherConfig()
        define(other, (payload) => census.visit(payload), options)
        await job.deferMany(times(60))
        for (const config of [queue.config, queue.config, other, other])
            queue.worker({ config, concurrency: 5 })
        await finalized(queue, 60)
        expect(census.most.get("undefined")).toBe(3)
    })

    it("runs so many of each key, and no key holds up another", async () => {
        const queue = await makeQueue()
        const census = makeCensus()
        const gate = makeGate()
        const job = define(
            queue.config,
            async (payload) => {
                if (payload.key === "stuck") await gate.opened
                await census.visit(payload)
            },
            { concurrencyLimit: PER_KEY },
        )
        await job.deferMany(times(50, { key: "stuck" }))
        await job.deferMany([...times(20, { key: "a" }), ...times(20, { key: "b" })])
        queue.worker({ concurrency: 8 })
        queue.worker({ concurrency: 8, config: queue.config })
        await finalized(queue, 40)
        gate.open()
        await finalized(queue, 90)
        expect(Object.fromEntries(census.most)).toEqual({ a: 2, b: 2, stuck: 2 })
    })

    it("starts the next job when one ends, without waiting for a poll", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined, { concurrencyLimit: { max: 1 } })
        await job.deferMany(times(20))
        queue.worker({ processIntervalMs: 60_000, concurrency: 4 })
        await finalized(queue, 20)
    })

    it("lets another worker have the place that came free, when its own has no slot", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        const started: unknown[] = []
        const job = define(queue.config, (payload) => void started.push(payload.n), {
            concurrencyLimit: { max: 1 },
            channel: "x",
        })
        const blocker = define(queue.config, () => gate.opened, { name: "blocker", channel: "x" })
        const first = queue.worker({ processIntervalMs: 60_000, channel: "x" })
        await blocker.defer({ payload: {} })
        await eventually(async () => (await queue.jobs())[0]?.state === "running")
        queue.worker({ processIntervalMs: 60_000, channel: "x" })
        await job.deferMany([{ payload: { n: 1 } }, { payload: { n: 2 } }])
        await eventually(() => started.length === 2)
        gate.open()
        first.stop()
    })

    it.skipIf(!hasServer())(
        "lets another worker have a place before long that a worker took which has no slot any more",
        async () => {
            const queue = await makeQueue()
            const [blocked, late] = [makeGate(), makeGate()]
            // Both kinds of claims are under way while there is one slot; that of the limited job is answered last.
            const pool = waitsBefore(makePool(), "-- cuckmq: claim-gated-jobs", () => late.opened)
            const config = new Config({ pool, schema: queue.schemaName })
            const job = define(config, () => undefined, { concurrencyLimit: { max: 1 }, channel: "x" })
            const blocker = define(config, () => blocked.opened, { name: "blocker", channel: "x" })
            const first = queue.worker({ config, processIntervalMs: 60_000, channel: "x" })
            await blocker.defer({ payload: {} })
            await eventually(async () => (await queue.jobs())[0]?.state === "running")
            const id = await job.defer({ payload: {} })
            late.open()
            await eventually(async () => (await queue.jobs())[1]?.state === "running")
            queue.worker({ config, processIntervalMs: 60_000, channel: "x" })
            await finalizedJob(queue, id)
            blocked.open()
            first.stop()
        },
    )

    it("keeps a place while its job runs, whatever became of its worker, and frees it when the job is taken back", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined, { concurrencyLimit: PER_KEY, numAttempts: 1 })
        await job.deferMany(times(5, { key: "a" }))
        const { jobs } = await claimIn(queue)
        expect(jobs).toHaveLength(2)
        expect((await claimIn(queue)).jobs).toEqual([])
        const lapse = `update ${queue.schema}.lease set expires_at = now() - interval '1 second'`
        await queue.sql.query(lapse)
        queue.worker()
        await finalized(queue, 5)
    })

    it("goes round the lanes, past those that are full", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined, { concurrencyLimit: { ...PER_KEY, max: 1 } })
        const keys = Array.from({ length: 30 }, (_, n) => `k${String(n).padStart(2, "0")}`)
        await job.deferMany(keys.flatMap((key) => times(2, { key })))
        const first = await claimIn(queue, { limit: 10 })
        expect(first.keys).toEqual(keys.slice(0, 10))
        const second = await claimIn(queue, { limit: 10, afterLane: first.afterLane ?? "" })
        expect(second.keys).toEqual(keys.slice(10, 20))
        expect(second.afterLane).toContain("k19")
        const third = await claimIn(queue, { limit: 30 })
        expect(third).toMatchObject({ keys: keys.slice(20), afterLane: "", hasMore: false })
        expect(await claimIn(queue, { limit: 30 })).toMatchObject({ jobs: [], afterLane: "" })
    })

    it("gives each lane its share of a claim", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined, { concurrencyLimit: { ...PER_KEY, max: 100 } })
        await job.deferMany([...times(1_000, { key: "a" }), ...times(2, { key: "b" })])
        const claim = await claimIn(queue, { limit: 4 })
        expect(claim.keys.sort()).toEqual(["a", "a", "b", "b"])
        expect(claim.hasMore).toBe(true)
    })

    it("is found beyond more full lanes than one claim goes through", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined, { concurrencyLimit: { ...PER_KEY, max: 1 } })
        await job.deferMany(Array.from({ length: 1_000 }, (_, n) => ({ payload: { key: `a${n}` } })))
        // Each lane has one that runs and one that waits.
        const running = `update ${queue.schema}.job set state = 'running', claimed_at = now(), token = 1, lease_id = 0`
        await queue.sql.query(running)
        await job.deferMany(Array.from({ length: 1_000 }, (_, n) => ({ payload: { key: `a${n}` } })))
        await job.defer({ payload: { key: "b" } })
        queue.worker({ processIntervalMs: 60_000 })
        await finalized(queue, 1)
    })

    it("holds jobs that were deferred without it to it", async () => {
        const queue = await makeQueue()
        const census = makeCensus()
        const early = new JobDefinition<AnyPayload>({
            config: queue.otherConfig(),
            name: "job",
            jobFunction: () => undefined,
        })
        await early.deferMany([...times(10, { key: "a" }), ...times(10, { key: "b" }), { payload: {} }])
        const key = (payload: AnyPayload) => (payload.key === undefined ? "" : String(payload.key))
        define(queue.config, (payload) => census.visit(payload), { concurrencyLimit: { max: 2, key } })
        queue.worker({ concurrency: 10 })
        await finalized(queue, 21)
        expect(Object.fromEntries(census.most)).toEqual({ a: 2, b: 2, undefined: 1 })
    })

    it("leaves its jobs to workers that do not know of it", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined, { concurrencyLimit: PER_KEY })
        await job.deferMany(times(5, { key: "a" }))
        const other = queue.otherConfig()
        define(other, () => undefined)
        queue.worker({ config: other })
        await finalized(queue, 5)
    })

    it("takes delayed jobs, jobs with dependencies, retries and repeats", async () => {
        const queue = await makeQueue()
        const job = define(
            queue.config,
            (_payload, { attempt }) => {
                if (attempt === 1) throw new Error("again")
            },
            { concurrencyLimit: { max: 2 }, numAttempts: 1, repeatIntervalMs: 3_600_000 },
        )
        const [first = 0] = await job.deferMany([{ payload: {}, delayMs: 20 }])
        await job.defer({ payload: {}, dependencies: [first] })
        queue.worker({ concurrency: 4 })
        queue.orchestrator()
        const rows = await finalized(queue, 3)
        expect(rows.map((row) => [row.outcome, row.attempt])).toEqual(
            Array.from({ length: 3 }, () => ["succeeded", 2]),
        )
    })

    it("is claimed although a flood of others fills the slots", async () => {
        const queue = await makeQueue()
        let numFlooded = 0
        let numFloodedBefore = Number.POSITIVE_INFINITY
        const flood = define(
            queue.config,
            async () => {
                await new Promise((resolve) => setTimeout(resolve, 1))
                numFlooded++
            },
            { name: "flood" },
        )
        const job = define(
            queue.config,
            () => {
                numFloodedBefore = numFlooded
            },
            {
                concurrencyLimit: { max: 1 },
            },
        )
        await flood.deferMany(times(3_000))
        queue.worker({ concurrency: 5 })
        await eventually(() => numFlooded > 50)
        await job.defer({ payload: {} })
        await eventually(() => numFloodedBefore < Number.POSITIVE_INFINITY)
        expect(numFloodedBefore).toBeLessThan(3_000)
    })
})

describe("a key function", () => {
    it.each([
        ["throws", () => JSON.parse("{")],
        ["returns no text", () => 5 as never],
        ["returns a promise", async () => "a"],
        ["returns an empty text", () => ""],
        ["returns a long text", () => "a".repeat(256)],
        ["returns a control character", () => "a\u001fb"],
        ["returns half a character", () => "a\ud800"],
    ])("that %s fails the deferral, and nothing is sent", async (_what, key) => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined, {
            concurrencyLimit: { max: 1, key: key as () => string },
        })
        const refusal = await job.defer({ payload: {} }).catch((error: unknown) => error)
        expect(refusal).toBeInstanceOf(InvalidPayloadError)
        expect(String(refusal)).toContain("concurrencyLimit.key")
        expect(await queue.jobs()).toEqual([])
    })
})

describe.skipIf(!hasServer())("two claims of one key", () => {
    it("do not both fill the last place when they overlap", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined, { concurrencyLimit: PER_KEY })
        await job.deferMany(times(5, { key: "a" }))
        await coreOf(queue.otherConfig()).database.transaction(async (run) => {
            expect((await claimIn(queue, { run })).jobs).toHaveLength(2)
            expect(await claimIn(queue)).toMatchObject({ jobs: [], isContended: true })
        })
    })

    it("do not both fill it when one is committed after the other's snapshot and before its lock", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined, { concurrencyLimit: PER_KEY })
        await job.deferMany(times(10, { key: "a" }))
        const holder = await openDirectSession()
        await holder.query("select pg_advisory_lock($1)", [LOCK])
        // Its snapshot is taken, and it has yet to lock.
        const pause = `    from (select pg_advisory_xact_lock(${LOCK})) as pause, seen\n`
        const change = (text: string) => text.replace("    from seen\n", pause)
        const claim = claimIn(queue, { run: coreOf(queue.otherConfig()).run, change })
        await untilWaitingForLock(queue)
        // The other does not take the very jobs that it has seen.
        await queue.sql.query(`update ${queue.schema}.job set position = -position`)
        expect((await claimIn(queue)).jobs).toHaveLength(2)
        await holder.query("select pg_advisory_unlock($1)", [LOCK])
        const { jobs, isContended } = await claim
        expect(jobs).toEqual([])
        // Where transactions are serializable, it was refused and done again, with a snapshot that shows the other.
        expect(isContended).toBe(inject("leg") !== "serializable")
    })

    it("of different keys go on beside each other", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined, { concurrencyLimit: PER_KEY })
        await job.deferMany([...times(5, { key: "a" }), ...times(5, { key: "b" })])
        await coreOf(queue.otherConfig()).database.transaction(async (run) => {
            expect((await claimIn(queue, { run, limit: 1 })).keys).toEqual(["a"])
            expect((await claimIn(queue)).keys).toEqual(["b", "b"])
        })
    })
})
