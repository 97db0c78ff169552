import { describe, expect, inject, it } from "vitest"
import { Config } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalized, finalizedJob, finalizedJobs, rowID } from "../support/finalized.ts"
import { losesOneAnswer, waitsBefore } from "../support/flaky-pool.ts"
import { makeGate } from "../support/gate.ts"
import { inTransaction } from "../support/transaction.ts"
import { eventually, hasServer, makePool, makeQueue, type Queue } from "../support/with-schema.ts"

const HOUR_MS = 60 * 60_000
const DAY_MS = 24 * HOUR_MS

/** A definition whose jobs fail if their payload says so. */
function defineKept(
    queue: Queue,
    options: {
        name?: string
        keepSucceededMs?: number | null
        keepFailedMs?: number | null
        config?: Config
    },
) {
    const { config = queue.config, ...rest } = options
    return define(
        config,
        ({ fails }) => {
            if (fails === true) throw new Error("fails")
            return "done"
        },
        rest,
    )
}

function isTold(queue: Queue, eventType: string, jobID: number): boolean {
    return queue.events.some(
        (event) => event.eventType === eventType && "jobID" in event && event.jobID === jobID,
    )
}

/** Seals what is open in every ring, as if that had been `ms` ago. */
async function sealAgo(queue: Queue, ms: number): Promise<void> {
    await queue.sql.query(
        `update ${queue.schema}.retention_slot set sealed_at = clock_timestamp() - $1::double precision * interval '1 ms'
        where slot in (select slot from ${queue.schema}.retention_ring)`,
        [ms],
    )
    await queue.sql.query(
        `update ${queue.schema}.retention_ring set slot = slot + 1, opened_at = clock_timestamp()`,
    )
}

/** Lets an orchestrator do all of its chores twice. */
async function orchestrate(queue: Queue, options: object = {}): Promise<void> {
    const numBefore = queue.events.filter(({ eventType }) => eventType === "orchestrator-heartbeat").length
    const orchestrator = queue.orchestrator({ cleanIntervalMs: 10, heartbeatIntervalMs: 10, ...options })
    const num = () => queue.events.filter(({ eventType }) => eventType === "orchestrator-heartbeat").length
    await eventually(() => num() > numBefore + 3)
    orchestrator.stop()
    await orchestrator.join()
}

describe("a definition that keeps its jobs for a time of its own", () => {
    it("has them in the ring of the shortest span that is long enough", async () => {
        const queue = await makeQueue()
        const spans: [keepMs: number | null, succeeded: number, failed: number][] = [
            [null, 0, 12],
            [1, 15, 15],
            [DAY_MS, 15, 15],
            [DAY_MS + 1, 18, 18],
            [30 * DAY_MS, 18, 18],
        ]
        const expected: Record<string, unknown>[] = []
        for (const [keepMs, succeeded, failed] of spans) {
            const options = { name: `kept ${keepMs}`, keepSucceededMs: keepMs, keepFailedMs: keepMs }
            const [first = 0, second = 0] = await defineKept(queue, options).deferMany([
                { payload: {} },
                { payload: { fails: true } },
            ])
            expected.push({ id: rowID(first), slot: succeeded }, { id: rowID(second), slot: failed })
        }
        queue.worker({ concurrency: 20 })
        expect(await finalized(queue, expected.length)).toMatchObject(expected)
    })

    it("has them kept as long as it says, whatever the orchestrators say, and the longest of its ring, and no longer", async () => {
        const queue = await makeQueue()
        const brief = defineKept(queue, { name: "brief", keepSucceededMs: 10 * 60_000 })
        const long = defineKept(queue, {
            name: "long",
            keepSucceededMs: 3 * DAY_MS,
            keepFailedMs: 30 * DAY_MS,
        })
        queue.worker({ concurrency: 5 })
        const [briefID, longID, failedID] = [
            await brief.defer({ payload: {} }),
            await long.defer({ payload: {} }),
            await long.defer({ payload: { fails: true } }),
        ]
        await finalizedJobs(queue, [briefID, longID, failedID])
        const impatient = { finalizedJobSweepThresholdMs: 0, failedJobSweepThresholdMs: 0 }
        await orchestrate(queue, impatient)
        expect(await queue.history()).toHaveLength(3)
        const left = async (agoMs: number) => {
            await queue.sql.query(
                `update ${queue.schema}.retention_slot set sealed_at = clock_timestamp() - $1::double precision * interval '1 ms'
                where sealed_at is not null`,
                [agoMs],
            )
            await orchestrate(queue, impatient)
            return (await queue.history()).map(({ id }) => Number(id))
        }
        await sealAgo(queue, 9 * 60_000)
        expect(await left(9 * 60_000)).toEqual([briefID, longID, failedID])
        expect(await left(11 * 60_000)).toEqual([longID, failedID])
        // They share a ring, so they are kept as long as the longest of them.
        expect(await left(3 * DAY_MS + 60_000)).toEqual([longID, failedID])
        expect(await left(30 * DAY_MS - 60_000)).toEqual([longID, failedID])
        expect(await left(30 * DAY_MS + 60_000)).toEqual([])
    })

    it("seals what has been open for as long as it keeps jobs", async () => {
        const queue = await makeQueue()
        const job = defineKept(queue, { keepSucceededMs: 10 * 60_000 })
        queue.worker()
        await finalizedJob(queue, await job.defer({ payload: {} }))
        const openedAgo = (ms: number) =>
            queue.sql.query(
                `update ${queue.schema}.retention_ring set opened_at = clock_timestamp() - $1::double precision * interval '1 ms'`,
                [ms],
            )
        const slot = async () =>
            (await queue.sql.query(`select slot from ${queue.schema}.retention_ring where ring = 2`)).rows[0]
                ?.slot
        await openedAgo(9 * 60_000)
        await orchestrate(queue)
        expect(await slot()).toBe(15)
        await openedAgo(11 * 60_000)
        await orchestrate(queue)
        expect(await slot()).toBe(16)
        const id = await job.defer({ payload: {} })
        expect(await finalizedJob(queue, id)).toMatchObject({ slot: 16 })
    })

    it("keeps for a minute at least what it keeps at all", async () => {
        const queue = await makeQueue()
        const job = defineKept(queue, { keepSucceededMs: 1 })
        queue.worker()
        const id = await job.defer({ payload: {} })
        await finalizedJob(queue, id)
        await sealAgo(queue, 50_000)
        await orchestrate(queue)
        expect(await queue.history()).toHaveLength(1)
    })

    it("has its old jobs kept as others are, when it does not say any more", async () => {
        const queue = await makeQueue()
        const job = defineKept(queue, { keepSucceededMs: 30 * DAY_MS })
        queue.worker()
        await finalizedJob(queue, await job.defer({ payload: {} }))
        await defineKept(queue, { config: queue.otherConfig() }).defer({ payload: {}, delayMs: HOUR_MS })
        await sealAgo(queue, 2 * HOUR_MS)
        await orchestrate(queue, { finalizedJobSweepThresholdMs: 3 * HOUR_MS, failedJobSweepThresholdMs: 0 })
        expect(await queue.history()).toHaveLength(1)
        await orchestrate(queue, { finalizedJobSweepThresholdMs: HOUR_MS, failedJobSweepThresholdMs: 0 })
        expect(await queue.history()).toEqual([])
    })

    it.skipIf(!hasServer())("is heeded by an orchestrator that has just found them old enough", async () => {
        const queue = await makeQueue()
        const job = defineKept(queue, { keepSucceededMs: 10 * 60_000 })
        const worker = queue.worker()
        await finalizedJob(queue, await job.defer({ payload: {} }))
        worker.stop()
        await worker.join()
        await sealAgo(queue, 20 * 60_000)
        const gate = makeGate()
        let hasFound = false
        // The ring is locked for a look at the slot that is open, and then to empty the one that is old enough.
        const pool = waitsBefore(
            makePool(),
            "-- cuckmq: is-history-slot-empty\nselect not exists (select from",
            (text) => {
                if (!text.includes("job_history_15)")) return Promise.resolve()
                hasFound = true
                return gate.opened
            },
        )
        const slow = new Config({ pool, schema: queue.schemaName })
        const orchestrator = queue.orchestrator({ config: slow, cleanIntervalMs: 10_000 })
        await eventually(() => hasFound)
        const elsewhere = queue.otherConfig()
        await defineKept(queue, { config: elsewhere, keepSucceededMs: HOUR_MS }).defer({
            payload: {},
            delayMs: HOUR_MS,
        })
        gate.open()
        orchestrator.stop()
        await orchestrator.join()
        expect(await queue.history()).toHaveLength(1)
    })
})

describe("a definition that does not keep its jobs", () => {
    it("leaves nothing of them behind, and its dependents run or fail as others do", async () => {
        const queue = await makeQueue()
        const job = defineKept(queue, { keepSucceededMs: 0, keepFailedMs: 0 })
        const dependent = define(queue.config, () => "ran", { name: "dependent" })
        const [succeeds = 0, fails = 0] = await job.deferMany([{ payload: {} }, { payload: { fails: true } }])
        const ran = await dependent.defer({ payload: {}, dependencies: [succeeds] })
        const unmet = await dependent.defer({ payload: {}, dependencies: [fails] })
        const [alone = 0, aloneFails = 0] = await job.deferMany([
            { payload: {} },
            { payload: { fails: true } },
        ])
        queue.worker({ concurrency: 5 })
        const rows = await finalizedJobs(queue, [ran, unmet])
        expect(rows).toMatchObject([{ outcome: "succeeded" }, { reason: "unmet-dependencies" }])
        for (const id of [succeeds, alone])
            await eventually(() => isTold(queue, "worker-job-finalize-success", id))
        for (const id of [fails, aloneFails])
            await eventually(() => isTold(queue, "worker-job-finalize-failure", id))
        expect(await queue.jobs()).toEqual([])
        expect(await queue.history()).toHaveLength(2)
        expect(await queue.config.jobs.replay(aloneFails)).toBe(false)
        const { rows: edges } = await queue.sql.query(`select from ${queue.schema}.job_dependency`)
        expect(edges).toEqual([])
    })

    it("lets nothing depend on a job that is over: neither on one that succeeded nor on one that failed", async () => {
        const queue = await makeQueue()
        const job = defineKept(queue, { keepSucceededMs: 0, keepFailedMs: 0 })
        queue.worker({ concurrency: 2 })
        const ids = await job.deferMany([{ payload: {} }, { payload: { fails: true } }])
        await eventually(async () => (await queue.jobs()).length === 0)
        for (const id of ids)
            await expect(job.defer({ payload: {}, dependencies: [id] })).rejects.toMatchObject({
                code: "CUCKMQ_DEPENDENCY_NOT_FOUND",
                jobIDs: [id],
            })
    })

    it("keeps for a while what completes itself in a transaction, since only history says that it did", async () => {
        const queue = await makeQueue()
        const job = define(
            queue.config,
            (_, context) => inTransaction(queue, (client) => context.complete({ client, result: "kept" })),
            { keepSucceededMs: 0 },
        )
        queue.worker()
        const id = await job.defer({ payload: {} })
        expect(await finalizedJob(queue, id)).toMatchObject({
            outcome: "succeeded",
            result: "kept",
            slot: 15,
        })
        await eventually(() => isTold(queue, "worker-job-finalize-success", id))
    })

    it("is asked when an orchestrator ends its jobs, which need not know it", async () => {
        const queue = await makeQueue()
        const unkept = defineKept(queue, { name: "unkept", keepFailedMs: 0 })
        const kept = defineKept(queue, { name: "kept", keepFailedMs: 2 * DAY_MS })
        const plain = defineKept(queue, { name: "plain" })
        const ids: number[] = []
        for (const job of [unkept, kept, plain]) ids.push(await job.defer({ payload: {} }))
        await queue.sql.query(
            `update ${queue.schema}.job set expires_at = clock_timestamp() - interval '1 min'`,
        )
        queue.orchestrator({ config: queue.otherConfig(), cleanIntervalMs: 10 })
        for (const id of ids)
            await eventually(() => isTold(queue, "orchestrator-job-finalize-failure-timeout", id))
        expect(await queue.history()).toMatchObject([
            { id: rowID(ids[1] ?? 0), slot: 18, reason: "timeout" },
            { id: rowID(ids[2] ?? 0), slot: 12, reason: "timeout" },
        ])
        expect(await queue.jobs()).toEqual([])
    })

    it.skipIf(!hasServer())(
        "runs a job once whose end was committed and not answered, and tells nothing of it",
        async () => {
            const queue = await makeQueue()
            const pool = losesOneAnswer(makePool(), "-- cuckmq: finalize-jobs")
            const config = new Config({ pool, schema: queue.schemaName })
            let numRuns = 0
            const job = define(config, () => ++numRuns, { keepSucceededMs: 0 })
            const worker = queue.worker({ config })
            const id = await job.defer({ payload: {} })
            await eventually(() => pool.hasLost)
            const nextID = await job.defer({ payload: {} })
            await eventually(() => isTold(queue, "worker-job-finalize-success", nextID))
            worker.stop()
            await worker.join()
            expect(numRuns).toBe(2)
            expect(await queue.jobs()).toEqual([])
            expect(isTold(queue, "worker-job-finalize-success", id)).toBe(false)
            expect(isTold(queue, "worker-job-lease-lost", id)).toBe(false)
        },
    )
})

describe("the rings of history", () => {
    it("go round as long as jobs end, with two orchestrators, and lose none early", async () => {
        const queue = await makeQueue()
        const job = defineKept(queue, { keepFailedMs: null })
        queue.worker({ concurrency: 5 })
        const options = { cleanIntervalMs: 1, failedJobSweepThresholdMs: 20 }
        queue.orchestrator(options)
        queue.orchestrator(options)
        const slots = new Set<number>()
        let numDeferred = 0
        while (slots.size < 3) {
            numDeferred += 2
            await job.deferMany([{ payload: { fails: true } }, { payload: { fails: true } }])
            await eventually(async () => (await queue.jobs()).length === 0)
            const [ring] = (
                await queue.sql.query(`select slot from ${queue.schema}.retention_ring where ring = 1`)
            ).rows
            slots.add(Number(ring?.slot))
        }
        const numSwept = () =>
            queue.events.reduce(
                (sum, event) =>
                    sum + (event.eventType === "orchestrator-finalized-job-sweep" ? event.numJobs : 0),
                0,
            )
        await eventually(async () => (await queue.history()).length === 0)
        await eventually(() => numSwept() >= numDeferred)
        expect(numSwept()).toBe(numDeferred)
        expect([...slots].sort()).toEqual([12, 13, 14])
    })

    it("are left alone by a release that does not know them", async ({ skip }) => {
        skip(inject("leg") === "pglite", "what it has to show is the same everywhere")
        const queue = await makeQueue()
        const { rows } = await queue.sql.query(
            `select (select count(*) from ${queue.schema}.history_slot) as num_slots,
                (select count(*) from ${queue.schema}.history_ring) as num_rings`,
        )
        expect(rows).toMatchObject([{ num_slots: "12", num_rings: "1" }])
    })
})
