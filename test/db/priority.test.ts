import { describe, expect, it, onTestFinished } from "vitest"
import { coreOf } from "../../src/config.ts"
import { runOnClient } from "../../src/db/database.ts"
import { type Config, InvalidOptionError, type JobDefinition } from "../../src/index.ts"
import { claimJobs } from "../../src/statements/claim-jobs.ts"
import { deleteDefinitions, retireDefinitions } from "../../src/statements/definitions.ts"
import { openLease } from "../../src/statements/leases.ts"
import { Claimer, type KnownDefinition } from "../../src/work/claimer.ts"
import { LeaseKeeper } from "../../src/work/lease-keeper.ts"
import { type AnyPayload, define } from "../support/define.ts"
import { finalizedJob, finalizedJobs } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { inTransaction, openSession, untilWaitingForLock } from "../support/transaction.ts"
import { eventually, hasServer, makeQueue, type Queue } from "../support/with-schema.ts"

type Job = JobDefinition<AnyPayload, unknown>

const nothing = () => undefined

/** The claims of one worker that knows all definitions of its Config, of so many jobs each. */
async function makeClaims(config: Config) {
    const core = coreOf(config)
    const leases = new LeaseKeeper({ core, worker: "worker", onError: nothing })
    onTestFinished(() => leases.close())
    const claimer = new Claimer({ core, leases })
    const definitions: KnownDefinition[] = []
    for (const definition of core.registry.jobs())
        definitions.push({ id: await core.registry.idOf(definition), definition })
    return async (limit: number) => (await claimer.claim(definitions, limit)).jobs
}

const prioritiesOf = (rows: readonly { priority?: unknown }[]) => rows.map(({ priority }) => priority)

async function lanes({ sql, schema }: Queue): Promise<unknown[]> {
    const { rows } = await sql.query(`select priority from ${schema}.job_priority order by priority`)
    return prioritiesOf(rows)
}

const some = (priorities: readonly number[]) => priorities.map((priority) => ({ payload: {}, priority }))

describe("jobs with a smaller number", () => {
    it("are claimed first, by whichever worker and of whichever definition", async () => {
        const queue = await makeQueue()
        const other = queue.otherConfig()
        const names = ["a", "b", "c"]
        const jobs: Job[] = names.map((name) => define(queue.config, nothing, { name }))
        for (const name of names) define(other, nothing, { name })
        for (const job of jobs)
            await job.deferMany(some([5, -1_000, 0, 1_000, -1, 0, 5, -1, 1_000, -1_000, 0, 5]))
        const workers = [await makeClaims(queue.config), await makeClaims(other)]
        const claimed = []
        for (let turn = 0; claimed.length < 36; turn++)
            claimed.push(...((await workers[turn % 2]?.(7)) ?? []))
        expect(prioritiesOf(claimed)).toEqual(
            [-1_000, -1, 0, 5, 1_000].flatMap((priority) => {
                const times = priority === 0 || priority === 5 ? 9 : 6
                return Array.from({ length: times }, () => priority)
            }),
        )
        for (const { definitionID, priority } of claimed) {
            const lane = claimed.filter(
                (job) => job.definitionID === definitionID && job.priority === priority,
            )
            expect(lane.map(({ position }) => position)).toEqual(
                lane.map(({ id }) => id).sort((a, b) => a - b),
            )
        }
    })

    it("start first, and those of one number in the order in which they were deferred", async () => {
        const queue = await makeQueue()
        const started: unknown[] = []
        const run = (_: AnyPayload, { jobID }: { jobID: number }) => void started.push(jobID)
        const plain = define(queue.config, run, { name: "plain" })
        const urgent = define(queue.config, run, { name: "urgent", priority: -1 })
        const plainIDs = await plain.deferMany([
            { payload: {} },
            { payload: {}, priority: 3 },
            { payload: {} },
        ])
        const urgentIDs = [
            await urgent.defer({ payload: {} }),
            await urgent.defer({ payload: {}, priority: 0 }),
            await urgent.defer({ payload: {} }),
        ]
        queue.worker({ concurrency: 1 })
        await finalizedJobs(queue, [...plainIDs, ...urgentIDs])
        const [first, last, second] = plainIDs
        const [one, three, two] = urgentIDs
        expect(started.slice(0, 2)).toEqual([one, two])
        expect(new Set(started.slice(2, 5))).toEqual(new Set([first, second, three]))
        expect(started.indexOf(first)).toBeLessThan(started.indexOf(second))
        expect(started.at(-1)).toBe(last)
    })

    it("are claimed first by a worker that never saw their number before", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, nothing)
        await job.deferMany(some([0, 0, 0, 0]))
        const claim = await makeClaims(queue.config)
        expect(prioritiesOf(await claim(2))).toEqual([0, 0])
        await define(queue.otherConfig(), nothing).deferMany(some([7, -7]))
        expect(prioritiesOf(await claim(1))).toEqual([-7])
        expect(prioritiesOf(await claim(9))).toEqual([0, 0, 7])
    })

    it("let others wait for as long as there are some, as they are meant to", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, nothing)
        await job.defer({ payload: {} })
        const claim = await makeClaims(queue.config)
        for (let turn = 0; turn < 5; turn++) {
            await job.defer({ payload: {}, priority: -1 })
            expect(prioritiesOf(await claim(1))).toEqual([-1])
        }
        expect(prioritiesOf(await claim(1))).toEqual([0])
    })

    it.skipIf(!hasServer())("are not passed over when they were committed behind the cursor", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, nothing)
        await job.deferMany(some([-1, 0, 0]))
        const claim = await makeClaims(queue.config)
        expect(prioritiesOf(await claim(1))).toEqual([-1])
        const client = await openSession()
        await client.query("begin")
        const lateID = await job.defer({ payload: {}, priority: -1, client })
        const laterID = await job.defer({ payload: {}, priority: -1 })
        expect(await claim(1)).toMatchObject([{ id: laterID }])
        expect(await claim(1)).toMatchObject([{ priority: 0 }])
        await client.query("commit")
        expect(await claim(1)).toMatchObject([{ id: lateID }])
    })

    it("come first among those of a rate-limited definition", async () => {
        const queue = await makeQueue()
        const started: unknown[] = []
        const job = define(queue.config, ({ nr }) => void started.push(nr), { releaseIntervalMs: 1 })
        const ids = await job.deferMany([3, -3, 0].map((nr) => ({ payload: { nr }, priority: nr })))
        queue.worker({ concurrency: 1 })
        await finalizedJobs(queue, ids)
        expect(started).toEqual([-3, 0, 3])
    })
})

describe("the priority of a job", () => {
    it("is its own, or that of its definition, however it was deferred", async () => {
        const queue = await makeQueue()
        const job: Job = define(queue.config, nothing, { priority: 4 })
        await job.defer({ payload: {} })
        await job.defer({ payload: {}, priority: 9 })
        await job.defer({ payload: {}, priority: 0 })
        await job.defer({ payload: {}, delayMs: 60_000 })
        await job.defer({ payload: {}, delayMs: 60_000, priority: -9 })
        await job.deferMany([{ payload: {} }, { payload: {}, priority: 8 }])
        await job.deferMany([{ payload: {} }, { payload: {} }])
        await inTransaction(queue, (client) => job.defer({ payload: {}, priority: -8, client }))
        const required = Number((await queue.jobs())[0]?.id)
        await job.defer({ payload: {}, dependencies: [required], priority: -7 })
        expect(prioritiesOf(await queue.jobs())).toEqual([4, 9, 0, 4, -9, 4, 8, 4, 4, -8, -7])
        expect(await lanes(queue)).toEqual([-9, -8, -7, 4, 8, 9])
    })

    it("is deferred once for each of many callers that are the first to use it", async () => {
        const queue = await makeQueue()
        const configs = [queue.config, queue.otherConfig()]
        const jobs = configs.map((config) => define(config, nothing))
        const calls = [1, 2, 3, 1, 2, 3].flatMap((priority) =>
            jobs.map((job) => job.defer({ payload: {}, priority })),
        )
        expect(new Set(await Promise.all(calls)).size).toBe(12)
        expect(await queue.jobs()).toHaveLength(12)
        expect(await lanes(queue)).toEqual([1, 2, 3])
    })

    it("is known again after the transaction that used it first was rolled back", async () => {
        const queue = await makeQueue()
        const job: Job = define(queue.config, nothing)
        await job.defer({ payload: {}, delayMs: 60_000 })
        const failing = inTransaction(queue, async (client) => {
            await job.defer({ payload: {}, priority: 6, client })
            throw new Error("rolled back")
        })
        await expect(failing).rejects.toThrow("rolled back")
        expect(await lanes(queue)).toEqual([])
        await inTransaction(queue, (client) => job.defer({ payload: {}, priority: 6, client }))
        const claim = await makeClaims(queue.config)
        expect(prioritiesOf(await claim(1))).toEqual([6])
    })

    it("stays through retries, snoozes, delays and dependencies, into history", async () => {
        const queue = await makeQueue()
        const job: Job = define(
            queue.config,
            ({ fails }, { attempt, snooze }) => {
                if (fails === true && attempt === 1) throw new Error("first")
                if (fails === false && attempt === 1) return snooze(0)
                return undefined
            },
            { numAttempts: 1, attemptTimeoutMs: null },
        )
        const first = await job.defer({ payload: { fails: true }, priority: 2 })
        const ids = [
            first,
            await job.defer({ payload: {}, priority: 4, delayMs: 1 }),
            await job.defer({ payload: {}, priority: 5, dependencies: [first] }),
        ]
        queue.worker()
        expect(prioritiesOf(await finalizedJobs(queue, ids))).toEqual([2, 4, 5])
    })

    it("is that of the definition when it repeats", async () => {
        const queue = await makeQueue()
        define(queue.config, nothing, { repeatIntervalMs: 3_600_000, priority: 12 })
        queue.orchestrator()
        queue.worker()
        const [row] = await eventually(async () => {
            const rows = await queue.history()
            return rows.length > 0 && rows
        })
        expect(row).toMatchObject({ priority: 12 })
    })

    it("follows a definition that is deployed with another, from then on", async () => {
        const queue = await makeQueue()
        const before: Job = define(queue.config, nothing, { priority: 1 })
        await before.defer({ payload: {} })
        const after: Job = define(queue.otherConfig(), nothing, { priority: -1 })
        await after.defer({ payload: {} })
        expect(prioritiesOf(await queue.jobs())).toEqual([1, -1])
        expect(await lanes(queue)).toEqual([-1, 1])
    })

    it("is forgotten with its definition", async () => {
        const queue = await makeQueue()
        const job: Job = define(queue.config, nothing, { priority: 1 })
        const id = await job.defer({ payload: {}, priority: 2 })
        const worker = queue.worker()
        await finalizedJob(queue, id)
        worker.stop()
        await worker.join()
        const { run, schema } = coreOf(queue.config)
        expect(await lanes(queue)).toEqual([1, 2])
        await queue.sql.query(`update ${queue.schema}.job_definition set heartbeat_at = '-infinity'`)
        await retireDefinitions({ run, schema, thresholdMs: 0 })
        await eventually(async () => {
            await deleteDefinitions({ run, schema, keepMs: 0 })
            return (await lanes(queue)).length === 0
        })
        await job.defer({ payload: {}, priority: 2 })
        expect(await lanes(queue)).toEqual([1, 2])
    })
})

describe("changePriority", () => {
    it("moves a ready job to the end of its new lane, where claims that are past its place find it", async () => {
        const queue = await makeQueue()
        const job: Job = define(queue.config, nothing)
        const [a, b, c, d] = (await job.deferMany(some([0, 0, -1, -1]))) as [number, number, number, number]
        const claim = await makeClaims(queue.config)
        expect(await claim(2)).toMatchObject([{ id: c }, { id: d }])
        expect(await queue.config.jobs.changePriority(b, -1)).toBe(true)
        expect(await queue.config.jobs.changePriority(a, 7)).toBe(true)
        const e = await job.defer({ payload: {}, priority: -1 })
        expect(await claim(9)).toMatchObject([{ id: b }, { id: e }, { id: a, priority: 7 }])
    })

    it("leaves a job in its place that has the priority already", async () => {
        const queue = await makeQueue()
        const job: Job = define(queue.config, nothing)
        const id = await job.defer({ payload: {}, priority: 3 })
        const before = await queue.jobs()
        expect(await queue.config.jobs.changePriority(id, 3)).toBe(true)
        expect(await queue.jobs()).toEqual(before)
    })

    it("is for jobs that wait, too", async () => {
        const queue = await makeQueue()
        const job: Job = define(queue.config, nothing)
        const required = await job.defer({ payload: {}, delayMs: 60_000 })
        const blocked = await job.defer({ payload: {}, dependencies: [required] })
        for (const id of [required, blocked])
            expect(await queue.config.jobs.changePriority(id, -4)).toBe(true)
        expect(await queue.jobs()).toMatchObject([
            { state: "delayed", priority: -4 },
            { state: "blocked", priority: -4 },
        ])
    })

    it("counts for a running job when it is attempted again", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        const attempts: number[] = []
        const job: Job = define(
            queue.config,
            async (_, { attempt }) => {
                attempts.push(attempt)
                await gate.opened
                if (attempt === 1) throw new Error("first")
            },
            { numAttempts: 1 },
        )
        const id = await job.defer({ payload: {} })
        queue.worker()
        await eventually(() => attempts.length === 1)
        expect(await queue.config.jobs.changePriority(id, 11)).toBe(true)
        expect(await queue.jobs()).toMatchObject([{ state: "running", priority: 11 }])
        gate.open()
        expect(await finalizedJob(queue, id)).toMatchObject({
            outcome: "succeeded",
            attempt: 2,
            priority: 11,
        })
    })

    it("finds no job that is finalized or never was", async () => {
        const queue = await makeQueue()
        const job: Job = define(queue.config, nothing)
        const id = await job.defer({ payload: {} })
        queue.worker()
        await finalizedJob(queue, id)
        expect(await queue.config.jobs.changePriority(id, 1)).toBe(false)
        expect(await queue.config.jobs.changePriority(id + 1_000, 1)).toBe(false)
        expect(await lanes(queue)).toEqual([])
    })

    it("refuses what is no id and no priority", async () => {
        const { config } = await makeQueue()
        for (const id of [0, 1.5, "1", null])
            await expect(config.jobs.changePriority(id as number, 1)).rejects.toThrow(InvalidOptionError)
        for (const priority of [1_001, 0.5, "1", undefined])
            await expect(config.jobs.changePriority(1, priority as number)).rejects.toThrow(
                InvalidOptionError,
            )
    })

    it.skipIf(!hasServer())("waits for a claim, and then changes a job that runs", async () => {
        const queue = await makeQueue()
        const job: Job = define(queue.config, nothing)
        const id = await job.defer({ payload: {} })
        const { run, schema, registry } = coreOf(queue.config)
        const [definition] = registry.jobs()
        const definitionID = definition === undefined ? 0 : await registry.idOf(definition)
        const leaseID = await openLease({ run, schema, worker: "worker", intervalMs: 60_000 })
        const claimer = await openSession()
        await claimer.query("begin")
        const jobs = await claimJobs({
            run: (text, values) => runOnClient(claimer, text, values),
            schema,
            lanes: [{ definitionID, leaseID, priority: 0, cursor: 0 }],
            limit: 1,
        })
        expect(jobs).toMatchObject([{ id, priority: 0 }])
        const change = queue.config.jobs.changePriority(id, -2)
        await untilWaitingForLock(queue)
        await claimer.query("commit")
        expect(await change).toBe(true)
        expect(await queue.jobs()).toMatchObject([{ state: "running", token: 1, priority: -2 }])
    })

    it.skipIf(!hasServer())("lets no claim have the job at its old place", async () => {
        const queue = await makeQueue()
        const job: Job = define(queue.config, nothing)
        const [id = 0, other] = await job.deferMany(some([0, 0]))
        await queue.config.jobs.changePriority(id, 2)
        const session = await openSession()
        await session.query("begin")
        const { rows } = await session.query(
            `update ${queue.schema}.job set priority = -2, position = position + 1000 where id = $1 returning id`,
            [id],
        )
        expect(rows).toHaveLength(1)
        const claim = await makeClaims(queue.config)
        expect(await claim(9)).toMatchObject([{ id: other }])
        await session.query("commit")
    })
})
