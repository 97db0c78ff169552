import { describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { runOnClient } from "../../src/db/database.ts"
import { quoteSchema } from "../../src/db/identifier.ts"
import { Config, type PauseTarget } from "../../src/index.ts"
import { claimJobs } from "../../src/statements/claim-jobs.ts"
import { claimLimitedJobs } from "../../src/statements/claim-limited-jobs.ts"
import { openLease } from "../../src/statements/leases.ts"
import { define } from "../support/define.ts"
import { finalizedJob, finalizedJobs } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { openSession } from "../support/transaction.ts"
import {
    eventually,
    hasServer,
    hasSessions,
    makePool,
    makeQueue,
    type Queue,
} from "../support/with-schema.ts"

const TARGETS: [string, PauseTarget][] = [
    ["its definition", { definition: "job" }],
    ["its channel", { channel: "_default" }],
    ["everything", { everything: true }],
]

/** Lets a worker look around: due jobs are made ready by a look, whatever is paused. */
async function workerHasLooked(queue: Queue): Promise<void> {
    const usher = define(queue.config, () => undefined, { name: `usher ${Math.random()}` })
    for (let n = 0; n < 2; n++) {
        const id = await usher.defer({ payload: {}, delayMs: 10 })
        await eventually(
            async () => (await queue.jobs()).find((job) => Number(job.id) === id)?.state !== "delayed",
        )
    }
}

async function claimDirectly(queue: Queue, definitionIDs: readonly number[]) {
    const { run, schema } = coreOf(queue.config)
    const leaseID = await openLease({ run, schema, worker: "test", intervalMs: 60_000 })
    const lanes = definitionIDs.map((definitionID) => ({ definitionID, leaseID, priority: 0, cursor: 0 }))
    const limited = await claimLimitedJobs({ run, schema, definitions: lanes, limit: 10 })
    return [...limited, ...(await claimJobs({ run, schema, lanes, limit: 10 }))]
}

describe.each(TARGETS)("a job, when %s is paused,", (_name, target) => {
    it("is not taken by any worker, and is as soon as that is resumed", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => "ran")
        const { config } = queue
        await queue.otherConfig().pause(target)
        queue.worker()
        const id = await job.defer({ payload: {} })
        await workerHasLooked(queue)
        expect(await queue.jobs()).toContainEqual(expect.objectContaining({ state: "ready", token: 0 }))
        expect(await queue.history()).not.toContainEqual(expect.objectContaining({ result: "ran" }))
        expect(await config.resume(target)).toBe(true)
        expect(await finalizedJob(queue, id)).toMatchObject({ result: "ran" })
        expect(await config.resume(target)).toBe(false)
    })

    it("is not released by a rate limit either, which it does not use up", async () => {
        const queue = await makeQueue()
        const { config } = queue
        const job = define(config, () => "ran", { releaseIntervalMs: 3_600_000 })
        await config.pause(target)
        queue.worker()
        const id = await job.defer({ payload: {} })
        await workerHasLooked(queue)
        expect(await queue.history()).not.toContainEqual(expect.objectContaining({ result: "ran" }))
        await config.resume(target)
        expect(await finalizedJob(queue, id)).toMatchObject({ result: "ran" })
    })

    it("is not let through a limit of how many may run either", async () => {
        const queue = await makeQueue()
        const { config } = queue
        const job = define(config, () => "ran", { concurrencyLimit: { max: 1, key: () => "key" } })
        await config.pause(target)
        queue.worker()
        const id = await job.defer({ payload: {} })
        await workerHasLooked(queue)
        expect(await queue.history()).not.toContainEqual(expect.objectContaining({ result: "ran" }))
        await config.resume(target)
        expect(await finalizedJob(queue, id)).toMatchObject({ result: "ran" })
    })

    it("goes on to its end if it runs, but is not attempted again until that is resumed", async () => {
        const queue = await makeQueue()
        const { config } = queue
        const gate = makeGate()
        const job = define(
            config,
            async (_payload, { attempt }) => {
                await gate.opened
                if (attempt === 1) throw new Error("again")
            },
            { numAttempts: 5 },
        )
        queue.worker()
        const id = await job.defer({ payload: {} })
        await eventually(async () => (await queue.jobs())[0]?.state === "running")
        await config.pause(target)
        gate.open()
        await eventually(async () => (await queue.jobs())[0]?.state === "ready")
        await workerHasLooked(queue)
        expect((await queue.jobs())[0]).toMatchObject({ state: "ready", attempt: 1 })
        await config.resume(target)
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded", attempt: 2 })
    })

    it("is not taken for an orphan", async () => {
        const queue = await makeQueue()
        const elsewhere = queue.otherConfig()
        const id = await define(elsewhere, () => "ran").defer({ payload: {} })
        await queue.config.pause(target)
        await queue.sql.query(
            `update ${queue.schema}.job_definition set heartbeat_at = clock_timestamp() - interval '1 h'`,
        )
        const worker = queue.worker({ orphanGraceMs: 0 })
        await workerHasLooked(queue)
        expect((await queue.jobs())[0]).toMatchObject({ state: "ready" })
        worker.stop()
        await worker.join()
        await queue.config.resume(target)
        queue.worker({ config: elsewhere })
        expect(await finalizedJob(queue, id)).toMatchObject({ result: "ran" })
    })
})

describe("a pause", () => {
    it("holds nothing else up", async () => {
        const queue = await makeQueue()
        const { config } = queue
        const other = define(config, () => "ran", { name: "other" })
        await config.pause({ definition: "job" })
        await config.pause({ channel: "elsewhere" })
        await config.pause({ definition: "never deferred" })
        queue.worker()
        expect(await finalizedJob(queue, await other.defer({ payload: {} }))).toMatchObject({ result: "ran" })
    })

    it("is listed, with when and why, and is one of each target", async () => {
        const { config, otherConfig } = await makeQueue()
        expect(await config.pauses()).toEqual([])
        await config.pause({ channel: "mail" }, { reason: "the provider is down" })
        await config.pause({ definition: "job" })
        await config.pause({ everything: true }, { reason: "migration" })
        await config.pause({ channel: "mail" })
        await config.pause({ everything: true }, { reason: "a long migration" })
        const pauses = await otherConfig().pauses()
        expect(pauses).toEqual([
            { target: { channel: "mail" }, reason: "the provider is down", pausedAt: expect.any(Date) },
            { target: { definition: "job" }, reason: null, pausedAt: expect.any(Date) },
            { target: { everything: true }, reason: "a long migration", pausedAt: expect.any(Date) },
        ])
        expect(Math.abs((pauses[0]?.pausedAt.getTime() ?? 0) - Date.now())).toBeLessThan(60_000)
        expect(await config.resume({ everything: true })).toBe(true)
        expect(await config.resume({ channel: "job" })).toBe(false)
        expect((await config.pauses()).map(({ target }) => target)).toEqual([
            { channel: "mail" },
            { definition: "job" },
        ])
    })

    it("ends when all that pause a job have ended", async () => {
        const queue = await makeQueue()
        const { config } = queue
        const job = define(config, () => "ran")
        for (const [, target] of TARGETS) await config.pause(target)
        const id = await job.defer({ payload: {} })
        queue.worker()
        for (const [, target] of TARGETS) {
            await workerHasLooked(queue)
            expect((await queue.jobs())[0]).toMatchObject({ state: "ready", token: 0 })
            await config.resume(target)
        }
        expect(await finalizedJob(queue, id)).toMatchObject({ result: "ran" })
    })

    it("outlives the processes that saw it", async () => {
        const queue = await makeQueue()
        const first = queue.otherConfig()
        const id = await define(first, () => "ran").defer({ payload: {} })
        await first.pause({ definition: "job" })
        const second = queue.otherConfig()
        define(second, () => "ran")
        const worker = queue.worker({ config: second, processIntervalMs: 10 })
        await workerHasLooked(queue)
        worker.stop()
        await worker.join()
        expect((await queue.jobs())[0]).toMatchObject({ state: "ready", token: 0 })
        await queue.otherConfig().resume({ definition: "job" })
        const third = queue.otherConfig()
        define(third, () => "ran")
        queue.worker({ config: third })
        expect(await finalizedJob(queue, id)).toMatchObject({ result: "ran" })
    })

    it("wakes workers of another process when it ends", async ({ skip }) => {
        skip(!hasSessions(), "PGlite has one session, and PgBouncer passes no notifications on")
        const queue = await makeQueue()
        const job = define(queue.config, () => "ran")
        const elsewhere = queue.otherConfig()
        queue.worker({ processIntervalMs: 60_000 })
        const usher = define(queue.config, () => undefined, { name: "usher" })
        await finalizedJob(queue, await usher.defer({ payload: {} }))
        // More than one: the worker looks around once when it begins to listen.
        for (let i = 0; i < 3; i++) {
            await elsewhere.pause({ definition: "job" })
            const id = await job.defer({ payload: {} })
            await finalizedJob(queue, await usher.defer({ payload: {} }))
            await elsewhere.resume({ definition: "job" })
            await finalizedJob(queue, id)
        }
    })

    it("goes on with repeats, which wait", async () => {
        const queue = await makeQueue()
        define(queue.config, () => "ran", { repeatIntervalMs: 50 })
        await queue.config.pause({ definition: "job" })
        queue.worker()
        queue.orchestrator()
        await eventually(async () => (await queue.jobs()).length >= 3)
        expect(await queue.history()).toEqual([])
    })

    it("makes workers hand back what they had claimed ahead", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        const ran = new Set<unknown>()
        const job = define(queue.config, async ({ isLast, number }) => {
            ran.add(number)
            if (isLast) await gate.opened
        })
        const ids = await job.deferMany(
            Array.from({ length: 500 }, (_, number) => ({ payload: { number, isLast: number === 300 } })),
        )
        queue.worker({ processIntervalMs: 60_000 })
        await eventually(() => ran.has(300))
        await queue.config.pause({ definition: "job" })
        await eventually(
            async () => (await queue.jobs()).filter(({ state }) => state === "running").length === 1,
        )
        gate.open()
        await finalizedJobs(queue, ids.slice(0, 301))
        expect(ran.size).toBe(301)
        await queue.config.resume({ definition: "job" })
        for (const row of await finalizedJobs(queue, ids)) expect(row).toMatchObject({ attempt: 1 })
    })
})

describe("a claim that begins after a pause was committed", () => {
    it.each(TARGETS)("takes nothing, whatever the worker knows: %s", async (_name, target) => {
        const queue = await makeQueue()
        const { config } = queue
        const job = define(config, () => undefined)
        const limited = define(config, () => undefined, { name: "limited", releaseIntervalMs: 1 })
        const other = define(config, () => undefined, { name: "other", channel: "elsewhere" })
        for (const { defer } of [job, limited, other].map((one) => ({
            defer: () => one.defer({ payload: {} }),
        })))
            await defer()
        const ids = (await queue.jobs()).map(({ definition_id }) => Number(definition_id))
        await config.pause(target)
        const taken = (await claimDirectly(queue, ids)).map(({ definitionID }) => definitionID)
        const isPaused = [true, !("definition" in target), "everything" in target]
        expect(taken.sort()).toEqual(ids.filter((_, index) => !isPaused[index]).sort())
        await config.resume(target)
        expect(await claimDirectly(queue, ids)).toHaveLength(ids.length - taken.length)
    })

    it.skipIf(!hasServer())(
        "and one that began before it may take a job, which is all that may start",
        async () => {
            const queue = await makeQueue()
            const { schema } = queue
            const job = define(queue.config, () => undefined)
            await job.deferMany([{ payload: {} }, { payload: {} }])
            const definitionID = Number((await queue.jobs())[0]?.definition_id)
            const core = coreOf(queue.config)
            const leaseID = await openLease({ ...core, worker: "test", intervalMs: 60_000 })
            const lanes = [{ definitionID, leaseID, priority: 0, cursor: 0 }]
            const session = await openSession()
            // Its snapshot stands for one that a claim had taken before the pause was committed.
            await session.query("begin isolation level repeatable read")
            await session.query(`select from ${schema}.job`)
            await queue.config.pause({ definition: "job" })
            const before = await claimJobs({
                run: (text, values) => runOnClient(session as never, text, values),
                schema: quoteSchema(queue.schemaName),
                lanes,
                limit: 1,
            })
            await session.query("commit")
            expect(before).toHaveLength(1)
            expect(await claimJobs({ ...core, lanes, limit: 1 })).toEqual([])
        },
    )
})

describe("workers that find everything paused", () => {
    it.skipIf(!hasServer())("sleep, and do not ask again and again", async () => {
        const queue = await makeQueue()
        const pool = makePool()
        const config = new Config({ pool, schema: queue.schemaName })
        const job = define(config, () => undefined)
        const limited = define(config, () => undefined, { name: "limited", releaseIntervalMs: 1 })
        await config.pause({ everything: true })
        await job.defer({ payload: {} })
        await limited.defer({ payload: {} })
        let numQueries = 0
        const connect = pool.connect.bind(pool)
        pool.connect = ((...args: never[]) => {
            numQueries++
            return (connect as (...args: never[]) => unknown)(...args)
        }) as never
        queue.worker({ config, processIntervalMs: 60_000 })
        await eventually(() => numQueries > 0)
        let before = -1
        // It has come to rest.
        await eventually(async () => {
            const isAtRest = before === numQueries
            before = numQueries
            await new Promise((resolve) => setTimeout(resolve, 300))
            return isAtRest
        })
        expect(numQueries).toBeLessThan(30)
    })
})
