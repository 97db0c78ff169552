import { describe, expect, it } from "vitest"
import { Inspector, InvalidOptionError, type JobChange, Unretryable } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalizedJob, finalizedJobs } from "../support/finalized.ts"
import { openSession, untilWaitingForLock } from "../support/transaction.ts"
import { eventually, hasServer, hasSessions, makeQueue, type Queue } from "../support/with-schema.ts"

const HOUR_MS = 3_600_000
const HOSTILE = `"; drop table x; -- '\\ \u202e <script>`

async function makeInspected() {
    const queue = await makeQueue()
    const inspector = new Inspector({ config: queue.config })
    const change = async (change: JobChange, ...ids: number[]) =>
        (await inspector.change(change, ids)).map(({ result }) => result)
    return { queue, inspector, change }
}

function stateOf(inspector: Inspector, id: number) {
    return inspector.job(id).then((job) => job?.state)
}

describe("a change of jobs by their ids", () => {
    it("makes delayed jobs due, with their whole time, and wakes workers", async () => {
        const { queue, inspector, change } = await makeInspected()
        const job = define(queue.config, () => "ran", { timeoutIntervalMs: HOUR_MS })
        queue.worker({ processIntervalMs: 60_000 })
        const id = await job.defer({ payload: {}, delayMs: 24 * HOUR_MS })
        expect(await change({ action: "run-now" }, id, 999_999)).toEqual(["done", "not-found"])
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded", result: "ran" })
        expect(await change({ action: "run-now" }, id)).toEqual(["wrong-state"])
        const { dueAt, createdAt } = (await inspector.job(id)) ?? {}
        expect(Number(dueAt) - Number(createdAt)).toBeLessThan(60_000)
    })

    it("makes a job due that waits for its next attempt, whose first due time stays", async () => {
        const { queue, inspector, change } = await makeInspected()
        const dueAts: Date[] = []
        const job = define(
            queue.config,
            (_payload, { attempt, dueAt }) => {
                dueAts.push(dueAt)
                if (attempt === 1) throw new Error("not yet")
            },
            { numAttempts: 1, retryDelayMs: HOUR_MS },
        )
        queue.worker({ processIntervalMs: 60_000 })
        const id = await job.defer({ payload: {} })
        await eventually(async () => (await stateOf(inspector, id)) === "delayed")
        const [before] = await queue.jobs()
        expect(await change({ action: "run-now" }, id)).toEqual(["done"])
        await finalizedJob(queue, id)
        expect(dueAts[1]).toEqual(dueAts[0])
        expect(before).toMatchObject({ attempt: 1 })
    })

    it("puts ready and delayed jobs to another time, anew in their timeouts, and leaves others", async () => {
        const { queue, change } = await makeInspected()
        const job = define(queue.config, () => undefined, { timeoutIntervalMs: HOUR_MS })
        const [ready = 0, other = 0] = await job.deferMany([{ payload: {} }, { payload: {} }])
        const delayed = await job.defer({ payload: {}, delayMs: HOUR_MS })
        const blocked = await job.defer({ payload: {}, dependencies: [ready] })
        const dueAt = new Date(Date.now() + 48 * HOUR_MS)
        expect(await change({ action: "set-due-time", dueAt }, ready, delayed, blocked)).toEqual([
            ...["done", "done", "wrong-state"],
        ])
        const times = await queue.sql.query(
            `select id::int, state::text, round(date_part('epoch', due_at) * 1000.0)::bigint::text as due,
                round(date_part('epoch', expires_at - due_at))::int as seconds
            from ${queue.schema}.job where id = any($1) order by id`,
            [[ready, delayed]],
        )
        const due = String(dueAt.getTime())
        expect(times.rows).toEqual([
            { id: ready, state: "delayed", due, seconds: 3_600 },
            { id: delayed, state: "delayed", due, seconds: 3_600 },
        ])
        // One that is ready stays in its place; what is past is due now.
        const position = async () => (await queue.jobs()).find(({ id }) => Number(id) === other)?.position
        const place = await position()
        expect(await change({ action: "set-due-time", dueAt: new Date(0) }, ready, other)).toEqual([
            ...["done", "done"],
        ])
        expect(await position()).toEqual(place)
        queue.worker()
        await finalizedJobs(queue, [ready, other, blocked])
    })

    it("gives priorities, also ones that their definitions never had, and cancels what is not over", async () => {
        const { queue, inspector, change } = await makeInspected()
        const order: number[] = []
        const job = define(queue.config, (_payload, { jobID }) => void order.push(jobID))
        const ids = await job.deferMany([{ payload: {} }, { payload: {} }, { payload: {} }, { payload: {} }])
        const [first = 0, second = 0, third = 0, last = 0] = ids
        expect(await change({ action: "set-priority", priority: -7 }, last, third)).toEqual(["done", "done"])
        expect(await change({ action: "set-priority", priority: 0 }, third)).toEqual(["done"])
        expect(await change({ action: "cancel", reason: "no need" }, first, 999_999)).toEqual([
            ...["done", "not-found"],
        ])
        expect(await inspector.job(first)).toMatchObject({ state: "failed", reason: "cancelled" })
        expect(await change({ action: "cancel" }, first)).toEqual(["wrong-state"])
        expect(await change({ action: "set-priority", priority: 1 }, first)).toEqual(["wrong-state"])
        queue.worker({ concurrency: 1 })
        await finalizedJobs(queue, ids)
        expect(order).toEqual([last, second, third])
    })

    it("replays what failed, deletes what is over, and tells a run to end", async () => {
        const { queue, inspector, change } = await makeInspected()
        const job = define(queue.config, async ({ how }, { log, signal }) => {
            log("begun")
            if (how === "fail") throw new Unretryable("no")
            if (how === "wait") await new Promise((resolve) => signal.addEventListener("abort", resolve))
        })
        queue.worker({ concurrency: 5 })
        const failed = await job.defer({ payload: { how: "fail" } })
        const done = await job.defer({ payload: {} })
        const running = await job.defer({ payload: { how: "wait" } })
        await finalizedJobs(queue, [failed, done])
        await eventually(async () => (await stateOf(inspector, running)) === "running")
        expect((await inspector.logs(done)).logs).toHaveLength(1)
        expect(await change({ action: "delete" }, done, running, 999_999)).toEqual([
            ...["done", "wrong-state", "not-found"],
        ])
        expect((await inspector.logs(done)).logs).toEqual([])
        expect(await inspector.job(done)).toBe(null)
        expect(await change({ action: "replay" }, failed, running, done)).toEqual([
            ...["done", "wrong-state", "not-found"],
        ])
        await finalizedJob(queue, failed)
        expect(await change({ action: "cancel", reason: "enough" }, running)).toEqual(["running"])
        expect(await finalizedJob(queue, running)).toMatchObject({ reason: "cancelled" })
    })

    it("is in the audit log, with who asked, whatever their name is", async () => {
        const { queue, inspector } = await makeInspected()
        const job = define(queue.config, () => undefined)
        const [one = 0, two = 0] = await job.deferMany([{ payload: { secret: 1 } }, { payload: {} }])
        await inspector.change({ action: "cancel", reason: HOSTILE }, [two, one, two], { by: HOSTILE })
        await inspector.change({ action: "delete" }, [one, 999_999])
        const dueAt = new Date("2030-01-02T03:04:05.678Z")
        await inspector.change({ action: "set-due-time", dueAt }, [two])
        const { operations, next } = await inspector.operations({ limit: 2 })
        expect(operations).toMatchObject([
            {
                kind: "set-due-time",
                details: { dueAt: dueAt.toISOString() },
                progress: { numLookedAt: 1, numDone: 0, numSkipped: 1, numExpected: 1 },
            },
            {
                kind: "delete",
                target: { jobIDs: [one, 999_999] },
                details: {},
                by: null,
                state: "done",
                progress: { numLookedAt: 2, numDone: 1, numSkipped: 1, numExpected: 2 },
                error: null,
            },
        ])
        const rest = await inspector.operations({ ...(next === null ? {} : { after: next }) })
        expect(rest).toMatchObject({
            operations: [
                { kind: "cancel", by: HOSTILE, target: { jobIDs: [one, two] }, details: { reason: HOSTILE } },
            ],
            next: null,
        })
        const [{ operationID = 0 } = {}] = operations
        expect(await inspector.operation(operationID)).toEqual(operations[0])
        expect(await inspector.operation(999_999)).toBe(null)
        expect((await inspector.operations({ isRunning: true })).operations).toEqual([])
        expect((await inspector.operations({ isRunning: false })).operations).toHaveLength(3)
        expect(await inspector.cancelOperation(operationID)).toBe(false)
    })

    it("refuses what cannot be meant before anything is sent", async () => {
        const inspector = new Inspector({ config: (await makeQueue({ isPrepared: false })).config })
        const refusals: [change: unknown, ids: unknown, by?: unknown][] = [
            [{ action: "explode" }, [1]],
            [null, [1]],
            [{ action: "replay", reason: "x" }, [1]],
            [{ action: "cancel", reason: " " }, [1]],
            [{ action: "set-priority" }, [1]],
            [{ action: "set-priority", priority: 1_001 }, [1]],
            [{ action: "set-due-time", dueAt: "tomorrow" }, [1]],
            [{ action: "set-due-time", dueAt: new Date(Number.NaN) }, [1]],
            [{ action: "delete" }, []],
            [{ action: "delete" }, Array.from({ length: 1_001 }, (_, n) => n + 1)],
            [{ action: "delete" }, ["1"]],
            [{ action: "delete" }, 1],
            [{ action: "delete" }, [1], { by: "" }],
            [{ action: "delete" }, [1], { by: "a\u0000b" }],
            [{ action: "delete" }, [1], { who: "me" }],
        ]
        for (const [change, ids, by] of refusals)
            await expect(inspector.change(change as never, ids as never, by as never)).rejects.toThrow(
                InvalidOptionError,
            )
        const filters: [change: unknown, filter: unknown][] = [
            [{ action: "replay" }, { state: "running" }],
            [{ action: "run-now" }, { state: "ready" }],
            [{ action: "delete" }, { key: "a" }],
            [{ action: "cancel" }, { limit: 1 }],
            [{ action: "cancel" }, null],
            [{ action: "cancel" }, { payload: { at: new Date() } }],
        ]
        for (const [change, filter] of filters) {
            await expect(inspector.preview(change as never, filter as never)).rejects.toThrow(
                InvalidOptionError,
            )
            await expect(inspector.changeAll(change as never, filter as never)).rejects.toThrow(
                InvalidOptionError,
            )
        }
        await expect(inspector.operation(0)).rejects.toThrow(InvalidOptionError)
        await expect(inspector.operations({ after: "x" })).rejects.toThrow(InvalidOptionError)
    })
})

/** Another session that is about to take the job, as a claim does. */
async function beginClaim(queue: Queue, id: number) {
    const session = await openSession()
    await session.query("begin")
    await session.query(
        `update ${queue.schema}.job set state = 'running', token = 1, attempt = 1, lease_id = 1, claimed_at = now()
        where id = $1`,
        [id],
    )
    return session
}

describe.skipIf(!hasServer() || !hasSessions())("a job that a worker takes at the same moment", () => {
    const dueAt = new Date(Date.now() + HOUR_MS)
    const CHANGES: [JobChange, whileClaimed: string][] = [
        [{ action: "run-now" }, "wrong-state"],
        [{ action: "set-due-time", dueAt }, "wrong-state"],
        [{ action: "set-priority", priority: 3 }, "done"],
        [{ action: "cancel" }, "running"],
        [{ action: "delete" }, "wrong-state"],
    ]

    it.each(CHANGES)("is running once that is committed: %o", async (change, result) => {
        const { queue, inspector } = await makeInspected()
        const delayMs = change.action === "run-now" ? HOUR_MS : 0
        const id = await define(queue.config, () => undefined).defer({ payload: {}, delayMs })
        const session = await beginClaim(queue, id)
        const changing = inspector.change(change, [id])
        if (change.action !== "delete") await untilWaitingForLock(queue)
        await session.query("commit")
        expect(await changing).toEqual([{ jobID: id, result }])
        expect(await queue.jobs()).toMatchObject([{ state: "running", token: 1, lease_id: "1" }])
    })

    it("is deleted or replayed, and never both", async () => {
        const { queue, inspector } = await makeInspected()
        const job = define(queue.config, () => {
            throw new Unretryable("no")
        })
        const worker = queue.worker()
        const id = await job.defer({ payload: {} })
        await finalizedJob(queue, id)
        worker.stop()
        await worker.join()
        const session = await openSession()
        await session.query("begin")
        await session.query(`select from ${queue.schema}.job_history where id = $1 for update`, [id])
        const deleting = inspector.change({ action: "delete" }, [id])
        await untilWaitingForLock(queue)
        const replaying = inspector.change({ action: "replay" }, [id])
        await session.query("commit")
        const results = [...(await deleting), ...(await replaying)].map(({ result }) => result)
        expect(results.filter((result) => result === "done")).toHaveLength(1)
        const numLeft = (await queue.jobs()).length + (await queue.history()).length
        expect(numLeft).toBe(results[0] === "done" ? 0 : 1)
    })
})
