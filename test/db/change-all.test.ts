import { describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import {
    Inspector,
    type JobChange,
    type JobFilter,
    type Operation,
    type Orchestrator,
    Unretryable,
    type Worker,
} from "../../src/index.ts"
import { OperationRun, performSlice } from "../../src/operate/operation-run.ts"
import { holdOperation } from "../../src/statements/operations.ts"
import { define } from "../support/define.ts"
import { finalizedJobs } from "../support/finalized.ts"
import { openSession } from "../support/transaction.ts"
import { eventually, hasSessions, makeQueue, type Queue } from "../support/with-schema.ts"

const HOUR_MS = 3_600_000

async function makeInspected() {
    const queue = await makeQueue()
    return { queue, inspector: new Inspector({ config: queue.config }) }
}

async function ended(inspector: Inspector, { operationID }: Operation): Promise<Operation> {
    return eventually(async () => {
        const operation = await inspector.operation(operationID)
        return operation !== null && operation.endedAt !== null && operation
    })
}

/** An orchestrator that is at an operation, and does no more than it is told. */
async function hold({ config }: Pick<Queue, "config">, holder: string): Promise<OperationRun> {
    const core = coreOf(config)
    const row = await holdOperation({ run: core.run, schema: core.schema, holder })
    if (row === undefined) throw new Error("no operation was left to take")
    return new OperationRun({ core, holder, row })
}

/** Its ten seconds are over. */
function lapse({ sql, schema }: Queue): Promise<unknown> {
    return sql.query(
        `update ${schema}.operation set held_until = clock_timestamp() where held_by is not null`,
    )
}

async function stop(daemon: Orchestrator | Worker): Promise<void> {
    daemon.stop()
    await daemon.join()
}

const payloads = (num: number) => Array.from({ length: num }, (_, n) => ({ payload: { n } }))

describe("a preview", () => {
    it("tells what it has counted when its time is over, and how many there are when it has more", async () => {
        const { queue, inspector } = await makeInspected()
        await define(queue.config, () => undefined).deferMany(payloads(600))
        const [change, filter] = [{ action: "cancel" }, { payload: {} }] as const
        // Of those that are looked into, the first statement looks through 250, and takes longer than that.
        const few = { num: 250, isExact: false }
        expect(await inspector.preview(change, filter, { countMs: 1 })).toEqual(few)
        expect(await inspector.preview(change, filter)).toEqual({ num: 600, isExact: true })
        const submitted = await inspector.changeAll(change, filter, { countMs: 1, by: "ada" })
        expect(submitted).toMatchObject({ by: "ada", progress: { numExpected: null } })
        for (const countMs of [0, 10_001, 1.5, "9"])
            await expect(inspector.preview(change, filter, { countMs } as never)).rejects.toThrow(/`countMs`/)
        await expect(inspector.preview(change, filter, { by: "ada" } as never)).rejects.toThrow(/`by`/)
    })
})

describe("a change of all jobs that fit", () => {
    it("finds them by each part of a filter, and leaves the others", async () => {
        const { queue, inspector } = await makeInspected()
        const gated = { group: { key: ({ tenant }: Record<string, unknown>) => String(tenant) } }
        const mail = define(queue.config, () => undefined, { name: "mail", channel: "post", ...gated })
        const sync = define(
            queue.config,
            () => {
                throw new Error("a % strange _ error")
            },
            { name: "sync", numAttempts: 3, retryDelayMs: HOUR_MS },
        )
        const failing = await sync.defer({ payload: {} })
        const worker = queue.worker()
        await eventually(async () => (await inspector.job(failing))?.state === "delayed")
        worker.stop()
        await worker.join()
        const [a = 0, b = 0] = await mail.deferMany([
            { payload: { tenant: "a", to: { name: "x", at: 1 } } },
            { payload: { tenant: "b" } },
        ])
        const later = await sync.defer({ payload: { tenant: "a" }, delayMs: HOUR_MS })
        const blocked = await sync.defer({ payload: {}, dependencies: [a] })
        const old = await queue.sql.query(
            `update ${queue.schema}.job set created_at = created_at - interval '1 day' where id = $1
            returning created_at`,
            [failing],
        )
        expect(old.rows).toHaveLength(1)
        const cut = new Date(Date.now() - HOUR_MS)
        const cases: [JobFilter, number[]][] = [
            [{}, [failing, a, b, later, blocked]],
            [{ state: "ready" }, [a, b]],
            [{ state: "delayed" }, [failing, later]],
            [{ state: "blocked" }, [blocked]],
            [{ state: "running" }, []],
            [{ definition: "mail" }, [a, b]],
            [{ definition: "it's not there" }, []],
            [{ channel: "post" }, [a, b]],
            [{ key: "a" }, [a]],
            [{ createdBefore: cut }, [failing]],
            [{ createdAfter: cut }, [a, b, later, blocked]],
            [{ errorText: "% strange _" }, [failing]],
            [{ payload: { to: { name: "x" } } }, [a]],
            [{ payload: { tenant: "a" }, state: "delayed" }, [later]],
        ]
        const orchestrator = queue.orchestrator()
        let priority = 1
        for (const [filter, ids] of cases) {
            const change: JobChange = { action: "set-priority", priority: priority++ }
            expect(await inspector.preview(change, filter)).toEqual({ num: ids.length, isExact: true })
            const operation = await inspector.changeAll(change, filter)
            expect(await ended(inspector, operation)).toMatchObject({
                state: "done",
                progress: {
                    ...{ numLookedAt: ids.length, numDone: ids.length },
                    ...{ numSkipped: 0, numExpected: ids.length },
                },
            })
            const changed = (await queue.jobs()).filter((job) => job.priority === change.priority)
            expect([filter, changed.map(({ id }) => Number(id))]).toEqual([filter, ids])
        }
        await stop(orchestrator)
    })

    it("goes on where another orchestrator ended without a word, and does nothing twice", async () => {
        const { queue, inspector } = await makeInspected()
        const job = define(queue.config, () => undefined)
        const ids = await job.deferMany(payloads(1_200))
        const submitted = await inspector.changeAll(
            { action: "cancel", reason: "all of it" },
            {},
            { by: "somebody" },
        )
        expect(submitted).toMatchObject({
            kind: "cancel",
            by: "somebody",
            target: { filter: {} },
            details: { reason: "all of it" },
            state: "waiting",
            progress: { numLookedAt: 0, numDone: 0, numSkipped: 0, numExpected: 1_200 },
            startedAt: null,
        })
        const first = await hold(queue, "first")
        expect(await first.goOn()).toBe(true)
        expect(await inspector.operation(submitted.operationID)).toMatchObject({
            state: "running",
            progress: { numDone: 500 },
            endedAt: null,
        })
        // While it has it, nobody else does.
        expect(await performSlice({ core: coreOf(queue.otherConfig()), holder: "second" })).toBe(false)
        await lapse(queue)
        const second = await hold({ config: queue.otherConfig() }, "second")
        expect(await first.goOn()).toBe(false)
        expect(await second.goOn()).toBe(true)
        expect(await first.goOn()).toBe(false)
        await lapse(queue)
        queue.orchestrator()
        expect(await ended(inspector, submitted)).toMatchObject({
            state: "done",
            progress: { numLookedAt: 1_200, numDone: 1_200, numSkipped: 0, numExpected: 1_200 },
        })
        // Each cancellation of a job that does not run raises its token by one.
        expect(new Set((await finalizedJobs(queue, ids)).map(({ token }) => token))).toEqual(new Set([1]))
        expect((await inspector.operations({ isRunning: true })).operations).toEqual([])
    })

    it("ends when it is cancelled, and leaves what it has not come to", async () => {
        const { queue, inspector } = await makeInspected()
        const job = define(queue.config, () => undefined)
        await job.deferMany(payloads(700).map((one) => ({ ...one, delayMs: HOUR_MS })))
        const { operationID } = await inspector.changeAll({ action: "run-now" }, { state: "delayed" })
        expect(await inspector.operations({ isRunning: true })).toMatchObject({
            operations: [{ operationID }],
        })
        const run = await hold(queue, "first")
        await run.goOn()
        expect(await inspector.cancelOperation(operationID, { by: "me" })).toBe(true)
        expect(await run.goOn()).toBe(false)
        expect(await performSlice({ core: coreOf(queue.config), holder: "second" })).toBe(false)
        expect(await inspector.cancelOperation(operationID)).toBe(false)
        expect((await inspector.operations()).operations).toMatchObject([
            { kind: "cancel-operation", by: "me", target: { operationID }, state: "done" },
            { kind: "run-now", state: "cancelled", cancelledBy: "me", progress: { numDone: 500 } },
        ])
        const states = (await queue.jobs()).map(({ state }) => state)
        expect(states.filter((state) => state === "ready")).toHaveLength(500)
        const waiting = await inspector.changeAll({ action: "run-now" }, {})
        expect(await inspector.cancelOperation(waiting.operationID)).toBe(true)
    })

    it("replays each job once, though it fails again, and no job that failed since", async () => {
        const { queue, inspector } = await makeInspected()
        const runs = new Map<number, number>()
        const job = define(queue.config, (_payload, { jobID }) => {
            runs.set(jobID, (runs.get(jobID) ?? 0) + 1)
            throw new Unretryable("no")
        })
        const worker = queue.worker({ concurrency: 20 })
        const ids = await job.deferMany(payloads(600))
        await finalizedJobs(queue, ids)
        const unwanted = await job.defer({ payload: {}, delayMs: HOUR_MS })
        await queue.config.jobs.cancel(unwanted)
        const operation = await inspector.changeAll(
            { action: "replay" },
            { definition: "job", errorText: "no" },
        )
        const late = await job.defer({ payload: {} })
        await finalizedJobs(queue, [late])
        const run = await hold(queue, "first")
        expect(await run.goOn()).toBe(true)
        await finalizedJobs(queue, ids)
        while (await run.goOn());
        expect(await inspector.operation(operation.operationID)).toMatchObject({
            state: "done",
            progress: { numDone: 600, numSkipped: 0 },
        })
        await eventually(() => ids.every((id) => runs.get(id) === 2))
        await finalizedJobs(queue, ids)
        expect([...runs.values()].reduce((sum, num) => sum + num)).toBe(1_201)
        worker.stop()
        await worker.join()
        await inspector.changeAll({ action: "delete" }, { state: "failed" })
        await inspector.changeAll({ action: "delete" }, { state: "succeeded" })
        const orchestrator = queue.orchestrator()
        await eventually(async () => (await queue.history()).length === 0)
        await stop(orchestrator)
    })

    it("replays by reason and by when they failed, at a rate, and no more than so many", async () => {
        const { queue, inspector } = await makeInspected()
        const job = define(queue.config, () => {
            throw new Unretryable("no")
        })
        const worker = queue.worker()
        const failed = await job.deferMany(payloads(5))
        await finalizedJobs(queue, failed)
        await stop(worker)
        const cancelled = await job.deferMany(payloads(2).map((one) => ({ ...one, delayMs: HOUR_MS })))
        await queue.config.jobs.cancelMany(cancelled)
        await queue.sql.query(
            `update ${queue.schema}.job_history set finalized_at = finalized_at - interval '1 day' where id = any($1)`,
            [failed.slice(0, 2)],
        )
        const cut = new Date(Date.now() - HOUR_MS)
        const cases: [JobFilter, number[]][] = [
            [{ reason: "cancelled" }, cancelled],
            [{ reason: "error", finalizedAfter: cut }, failed.slice(2)],
            [{ finalizedBefore: cut }, failed.slice(0, 2)],
        ]
        for (const [filter, ids] of cases) {
            const { jobs } = await inspector.jobs({ ...filter, order: "oldest" })
            expect(jobs.map(({ jobID }) => jobID)).toEqual(ids)
            expect((await inspector.preview({ action: "replay" }, filter)).num).toBe(ids.length)
        }
        expect(await inspector.jobs({ state: "ready", reason: "error" })).toEqual({ jobs: [], next: null })
        queue.orchestrator()
        const replay = { action: "replay", ratePerSecond: 0.01 } as const
        const one = await inspector.changeAll(replay, { reason: "cancelled" }, { limit: 1, by: "ada" })
        expect(one).toMatchObject({
            details: { ratePerSecond: 0.01, limit: 1 },
            progress: { numExpected: 1 },
        })
        expect(await ended(inspector, one)).toMatchObject({ state: "done", progress: { numDone: 1 } })
        await eventually(() => queue.events.some((event) => event.eventType === "orchestrator-operation-end"))
        expect(queue.events.filter((event) => event.eventType === "orchestrator-operation-end")).toEqual([
            {
                ...{ eventType: "orchestrator-operation-end", operationID: one.operationID, kind: "replay" },
                ...{ by: "ada", numJobs: 1, numSkipped: 0, error: null },
            },
        ])
        await ended(inspector, await inspector.changeAll(replay, { finalizedAfter: cut }))
        // They become due a hundred seconds after each other, over both.
        expect((await queue.jobs()).map(({ id, state }) => [Number(id), state])).toEqual([
            ...failed.slice(2).map((id) => [id, "delayed"]),
            [cancelled[0], "ready"],
        ])
        expect((await queue.history()).map(({ id }) => Number(id)).sort()).toEqual([
            ...failed.slice(0, 2),
            cancelled[1],
        ])
    })

    it("is done once by several orchestrators, beside other operations, while jobs run", async () => {
        const { queue, inspector } = await makeInspected()
        const job = define(queue.config, () => undefined)
        const ids = await job.deferMany(payloads(1_500).map((one) => ({ ...one, delayMs: HOUR_MS })))
        queue.worker({ concurrency: 50 })
        // Not one that puts jobs off: they go on side by side, and whichever comes last to a job decides.
        const both = [
            await inspector.changeAll({ action: "set-priority", priority: 3 }, { payload: { n: 3 } }),
            await inspector.changeAll({ action: "run-now" }, {}),
        ]
        for (const config of [queue.config, queue.otherConfig(), queue.otherConfig()])
            queue.orchestrator({ config })
        for (const operation of both)
            expect(await ended(inspector, operation)).toMatchObject({ state: "done" })
        await finalizedJobs(queue, ids)
        const history = await queue.history()
        expect(new Set(history.map(({ attempt, token }) => `${attempt} ${token}`))).toEqual(new Set(["1 1"]))
    })

    it("that this release does not understand has failed, and says so", async () => {
        const { queue, inspector } = await makeInspected()
        await queue.sql.query(
            `insert into ${queue.schema}.operation (kind, target, details, state)
            values ('paint', '{"filter": {}}', '{}', 'waiting')`,
        )
        queue.orchestrator()
        const [operation] = await eventually(async () => {
            const { operations } = await inspector.operations()
            return operations[0]?.state === "failed" && operations
        })
        expect(operation?.error).toContain("change.action")
        await eventually(() =>
            queue.events.some(
                (event) =>
                    event.eventType === "orchestrator-operation-end" && event.error === operation?.error,
            ),
        )
        await eventually(() => queue.events.some(({ eventType }) => eventType === "daemon-error"))
    })
})

describe.skipIf(!hasSessions())("an operation that comes to a job which somebody has locked", () => {
    it("waits for it, and changes it only if it still fits", async () => {
        const { queue, inspector } = await makeInspected()
        const job = define(queue.config, () => undefined)
        const ids = await job.deferMany(payloads(4))
        const session = await openSession()
        await session.query("begin")
        await session.query(`select from ${queue.schema}.job where id = $1 for update`, [ids[1]])
        await session.query(`update ${queue.schema}.job set state = 'running', lease_id = 1 where id = $1`, [
            ids[1],
        ])
        await inspector.changeAll({ action: "cancel" }, { state: "ready" })
        const run = await hold(queue, "first")
        // Half of them, and so on, until the one that is locked is alone.
        const going = (async () => {
            while (await run.goOn());
        })()
        await eventually(async () => (await queue.history()).length === 1)
        await session.query("commit")
        await going
        expect((await inspector.operations()).operations).toMatchObject([
            // It may have been let go just before it was looked for again.
            { state: "done", progress: { numDone: 3, numSkipped: expect.toBeOneOf([0, 1]) } },
        ])
        expect(await queue.jobs()).toMatchObject([{ state: "running", cancelled_at: null }])
    })
})
