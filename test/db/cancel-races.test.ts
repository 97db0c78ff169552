import { describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { runOnClient } from "../../src/db/database.ts"
import type { Run } from "../../src/db/driver.ts"
import { quoteSchema } from "../../src/db/identifier.ts"
import { cancelJobs } from "../../src/statements/cancel-jobs.ts"
import { finalizeJobs } from "../../src/statements/finalize-jobs.ts"
import type { ClaimKey, Query } from "../../src/statements/query.ts"
import { retryJobs } from "../../src/statements/retry-jobs.ts"
import { returnJobs } from "../../src/statements/return-jobs.ts"
import { snoozeJobs } from "../../src/statements/snooze-jobs.ts"
import { aborted, define } from "../support/define.ts"
import { finalizedJob } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { openSession, untilWaitingForLock } from "../support/transaction.ts"
import { eventually, hasSessions, makeQueue, type Queue, type Sql } from "../support/with-schema.ts"

/** Another session, in a transaction of its own. */
async function begin(queue: Queue): Promise<{ session: Sql; query: Query }> {
    const session = await openSession()
    await session.query("begin")
    const run: Run = (text, values) => runOnClient(session as never, text, values)
    return { session, query: { run, schema: quoteSchema(queue.schemaName) } }
}

/** A job that runs under its first claim, by nobody in particular. */
async function makeClaimed(): Promise<{ queue: Queue; job: ClaimKey }> {
    const queue = await makeQueue()
    const id = await define(queue.config, () => "ran again", { numAttempts: 5 }).defer({ payload: {} })
    await queue.sql.query(
        `update ${queue.schema}.job set state = 'running', token = 1, attempt = 1, lease_id = 1`,
    )
    return { queue, job: { id, token: 1 } }
}

const SUCCESS = { outcome: "succeeded", reason: null, worker: "worker", ring: 0 } as const

/** What its worker may write about a job so that it would run again. */
const WRITES: Record<string, (query: Query, job: ClaimKey) => Promise<unknown>> = {
    retried: (query, job) => retryJobs({ ...query, jobs: [{ ...job, delayMs: 0, error: "{}" }] }),
    "retried later": (query, job) =>
        retryJobs({ ...query, jobs: [{ ...job, delayMs: 3_600_000, error: "{}" }] }),
    "put off": (query, job) => snoozeJobs({ ...query, jobs: [{ ...job, delayMs: 0 }] }),
    "handed back": (query, job) => returnJobs({ ...query, jobs: [job] }),
}

describe.skipIf(!hasSessions())("a job that is cancelled while it is", () => {
    it.each(Object.entries(WRITES))("%s is over once that is committed", async (_name, write) => {
        const { queue, job } = await makeClaimed()
        const { session, query } = await begin(queue)
        await write(query, job)
        const cancelling = queue.config.jobs.cancel(job.id)
        await untilWaitingForLock(queue)
        await session.query("commit")
        expect(await cancelling).toBe("cancelled")
        expect(await finalizedJob(queue, job.id)).toMatchObject({ reason: "cancelled", token: 2 })
        expect(await queue.jobs()).toEqual([])
    })

    it.each(Object.entries(WRITES))("%s, and committed first, ends then", async (_name, write) => {
        const { queue, job } = await makeClaimed()
        const { session, query } = await begin(queue)
        expect(await queue.config.jobs.cancel(job.id, { client: session })).toBe("cancelling")
        const other = await begin(queue)
        const writing = write(other.query, job)
        await untilWaitingForLock(queue)
        await session.query("commit")
        expect(await writing).toEqual({ ids: [job.id], isAnyCancelled: true })
        await other.session.query("commit")
        expect(await queue.jobs()).toMatchObject([{ state: "exhausted", token: 1, lease_id: null }])
        queue.worker()
        expect(await finalizedJob(queue, job.id)).toMatchObject({ reason: "cancelled", token: 1 })
        expect(query.schema).toBe(other.query.schema)
    })

    it("finalized has succeeded, if that is committed", async () => {
        const { queue, job } = await makeClaimed()
        const { session, query } = await begin(queue)
        await finalizeJobs({ ...query, ...SUCCESS, jobs: [{ ...job, result: "1", error: null }] })
        const cancelling = queue.config.jobs.cancel(job.id)
        await untilWaitingForLock(queue)
        await session.query("commit")
        expect(await cancelling).toBe("finalized")
        expect(await queue.history()).toMatchObject([{ outcome: "succeeded", result: 1 }])
    })

    it("finalized is to be cancelled, if that is rolled back", async () => {
        const { queue, job } = await makeClaimed()
        const { session, query } = await begin(queue)
        await finalizeJobs({ ...query, ...SUCCESS, jobs: [{ ...job, result: "1", error: null }] })
        const cancelling = queue.config.jobs.cancel(job.id, { reason: "why" })
        await untilWaitingForLock(queue)
        await session.query("rollback")
        expect(await cancelling).toBe("cancelling")
        expect(await queue.jobs()).toMatchObject([{ state: "running", token: 1, cancel_reason: "why" }])
    })

    it("finalized, and committed first, has succeeded all the same", async () => {
        const { queue, job } = await makeClaimed()
        const { session } = await begin(queue)
        await queue.config.jobs.cancel(job.id, { client: session })
        const other = await begin(queue)
        const finalizing = finalizeJobs({
            ...other.query,
            ...SUCCESS,
            jobs: [{ ...job, result: "1", error: null }],
        })
        await untilWaitingForLock(queue)
        await session.query("commit")
        expect(await finalizing).toEqual([job.id])
        await other.session.query("commit")
        expect(await queue.history()).toMatchObject([{ outcome: "succeeded", reason: null }])
    })

    it("claimed is told to its worker once that is committed", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, (_payload, { signal }) => aborted(signal), { numAttempts: 5 })
        const id = await job.defer({ payload: {} })
        const holder = await openSession()
        await holder.query("begin")
        // What a claim does, and no more.
        await holder.query(
            `update ${queue.schema}.job set state = 'running', token = 1, attempt = 1, lease_id = 1 where id = $1`,
            [id],
        )
        const cancelling = queue.config.jobs.cancel(id)
        await untilWaitingForLock(queue)
        await holder.query("commit")
        expect(await cancelling).toBe("cancelling")
        expect(await queue.jobs()).toMatchObject([{ state: "running", token: 1 }])
    })

    it("looked for by a claim is passed over, and never runs", async () => {
        const queue = await makeQueue()
        const ran: unknown[] = []
        const job = define(queue.config, ({ which }) => void ran.push(which))
        const [first = 0, second = 0] = await job.deferMany([
            { payload: { which: 1 } },
            { payload: { which: 2 } },
        ])
        const { session } = await begin(queue)
        expect(await queue.config.jobs.cancel(first, { client: session })).toBe("cancelled")
        queue.worker({ processIntervalMs: 20 })
        await finalizedJob(queue, second)
        expect(await queue.jobs()).toMatchObject([{ state: "ready" }])
        await session.query("commit")
        expect(await finalizedJob(queue, first)).toMatchObject({ reason: "cancelled", attempt: 0 })
        expect(ran).toEqual([2])
    })

    it("completed in an open transaction waits for that, and has succeeded", async () => {
        const queue = await makeQueue()
        const [completed, committed] = [makeGate(), makeGate()]
        const session = await openSession()
        const job = define(queue.config, async (_payload, { complete }) => {
            await session.query("begin")
            await complete({ client: session, result: "done" })
            completed.open()
            await committed.opened
            await session.query("commit")
        })
        queue.worker()
        const id = await job.defer({ payload: {} })
        await completed.opened
        const cancelling = queue.config.jobs.cancel(id)
        await untilWaitingForLock(queue)
        committed.open()
        expect(await cancelling).toBe("finalized")
        expect(await queue.history()).toMatchObject([{ outcome: "succeeded", result: "done" }])
    })

    it("required anew fails what came to depend on it meanwhile", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        const id = await job.defer({ payload: {}, delayMs: 3_600_000 })
        const { session } = await begin(queue)
        const dependent = await job.defer({ payload: {}, dependencies: [id], client: session })
        const cancelling = queue.config.jobs.cancel(id)
        await untilWaitingForLock(queue)
        await session.query("commit")
        expect(await cancelling).toBe("cancelled")
        queue.worker()
        expect(await finalizedJob(queue, dependent)).toMatchObject({ reason: "unmet-dependencies" })
    })
})

describe.skipIf(!hasSessions())("jobs that are cancelled while someone holds one of them locked", () => {
    it("do not wait for it, and it is cancelled when it is free", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        const ids = await job.deferMany(Array.from({ length: 5 }, () => ({ payload: {} })))
        const { session } = await begin(queue)
        await session.query(`select from ${queue.schema}.job where id = $1 for update`, [ids[3]])
        const cancelling = queue.config.jobs.cancelMany(ids)
        await eventually(async () => (await queue.history()).length === 3)
        await session.query("rollback")
        expect(await cancelling).toEqual(ids.map(() => "cancelled"))
        expect(await queue.jobs()).toEqual([])
    })

    it("are left as they are where that takes too long", async () => {
        const { queue, job } = await makeClaimed()
        const { session } = await begin(queue)
        await session.query(`select from ${queue.schema}.job where id = $1 for update`, [job.id])
        const { run, schema } = coreOf(queue.config)
        const cancelling = cancelJobs({ run, schema, ids: [job.id], reason: null, lockMs: 20 })
        await expect(cancelling).rejects.toMatchObject({ code: "55P03" })
        await session.query("rollback")
        expect(await queue.jobs()).toMatchObject([{ state: "running", cancelled_at: null }])
    })
})
