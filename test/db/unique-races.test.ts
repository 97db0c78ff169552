import { describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { finalizeFailed } from "../../src/finalize.ts"
import { Config, type DeferOptions } from "../../src/index.ts"
import { selectExpiredJobs } from "../../src/statements/select-doomed-jobs.ts"
import { FIRST_KEY, sweepUniqueKeys } from "../../src/statements/sweep-unique-keys.ts"
import { type AnyPayload, define } from "../support/define.ts"
import { finalizedJob, rowID } from "../support/finalized.ts"
import { losesOneAnswer } from "../support/flaky-pool.ts"
import { openDirectSession, untilWaitingForLock } from "../support/transaction.ts"
import { eventually, hasServer, makePool, makeQueue } from "../support/with-schema.ts"

const HOUR_MS = 3_600_000

type Unique = NonNullable<DeferOptions<AnyPayload>["unique"]>

function defineUnique(config: Config, unique: Partial<Unique> = {}) {
    return define(config, () => "ran", { unique: { key: ({ of }) => String(of), ...unique } })
}

async function begin(level = "read committed") {
    const client = await openDirectSession()
    await client.query(`begin isolation level ${level}`)
    return client
}

/** What a worker writes that takes a job. */
const CLAIM =
    "set state = 'running', token = token + 1, attempt = attempt + 1, claimed_at = clock_timestamp()"

/** A queue with a definition that has been written down, since who does that holds up others until they commit. */
async function makeUnique(unique: Partial<Unique> = {}, usedKey = "used") {
    const queue = await makeQueue()
    const job = defineUnique(queue.config, unique)
    await job.defer({ payload: { of: usedKey } })
    await queue.sql.query(`delete from ${queue.schema}.job`)
    return { queue, job }
}

/** Whose the key was before: nobody's, or that of a job which has ended. */
const BEFORE = { "that no job has had": "another", "of a job that has ended": "a" }

describe.skipIf(!hasServer()).each(Object.entries(BEFORE))("two deferrals of a key %s", (_words, usedKey) => {
    it("make one job: the second waits for the first, and finds its job", async () => {
        const { queue, job } = await makeUnique({}, usedKey)
        const client = await begin()
        const first = await job.deferDetailed({ payload: { of: "a", n: 1 }, client })
        const second = job.deferDetailed({ payload: { of: "a", n: 2 } })
        await untilWaitingForLock(queue)
        await client.query("commit")
        expect(first.outcome).toBe("inserted")
        expect(await second).toEqual({ id: first.id, outcome: "kept" })
        expect(await queue.jobs()).toMatchObject([{ payload: { n: 1 } }])
    })

    it("make one job when the first is rolled back: the second's", async () => {
        const { queue, job } = await makeUnique({}, usedKey)
        const client = await begin()
        await job.defer({ payload: { of: "a", n: 1 }, client })
        const second = job.deferDetailed({ payload: { of: "a", n: 2 } })
        await untilWaitingForLock(queue)
        await client.query("rollback")
        expect(await second).toMatchObject({ outcome: "inserted" })
        expect(await queue.jobs()).toMatchObject([{ payload: { n: 2 } }])
    })

    it("change the first one's job when the second would have it changed", async () => {
        const { queue, job } = await makeUnique({ onConflict: "replace" }, usedKey)
        const client = await begin()
        const { id } = await job.deferDetailed({ payload: { of: "a", n: 1 }, client })
        const second = job.deferDetailed({ payload: { of: "a", n: 2 } })
        await untilWaitingForLock(queue)
        await client.query("commit")
        expect(await second).toEqual({ id, outcome: "replaced" })
        expect(await queue.jobs()).toMatchObject([{ payload: { n: 2 } }])
    })

    it("fail the second with 40001 in a transaction that cannot see the first", async () => {
        for (const level of ["repeatable read", "serializable"]) {
            const { queue, job } = await makeUnique({}, usedKey)
            const client = await begin(level)
            await client.query(`select from ${queue.schema}.job`)
            await job.defer({ payload: { of: "a" } })
            await expect(job.defer({ payload: { of: "a" }, client })).rejects.toMatchObject({
                code: "CUCKMQ_DATABASE",
                sqlState: "40001",
                retryable: true,
            })
            await client.query("rollback")
            expect(await queue.jobs()).toHaveLength(1)
        }
    })
})

describe.skipIf(!hasServer())("who wants a key that an open transaction has", () => {
    it("waits alone: other keys, and jobs without one, are deferred meanwhile", async () => {
        const { queue, job } = await makeUnique()
        const client = await begin()
        const { id } = await job.deferDetailed({ payload: { of: "a" }, client })
        const together = ["a", "b", "a", "c"].map((of) => job.deferDetailed({ payload: { of } }))
        expect(await together[1]).toMatchObject({ outcome: "inserted" })
        expect(await together[3]).toMatchObject({ outcome: "inserted" })
        const late = job.deferDetailed({ payload: { of: "a" } })
        expect(await job.deferDetailed({ payload: { of: "b" } })).toMatchObject({ outcome: "kept" })
        expect(await job.deferDetailed({ payload: {}, unique: null })).toMatchObject({ outcome: "inserted" })
        await client.query("commit")
        for (const waiting of [together[0], together[2], late])
            expect(await waiting).toEqual({ id, outcome: "kept" })
        expect(await queue.jobs()).toHaveLength(4)
    })

    it("is told so when its role waits for no lock for so long, and may try again", async () => {
        const { job } = await makeUnique()
        const [holder, client] = [await begin(), await begin()]
        await job.defer({ payload: { of: "a" }, client: holder })
        await client.query("set local lock_timeout = '20ms'")
        await expect(job.defer({ payload: { of: "a" }, client })).rejects.toMatchObject({
            code: "CUCKMQ_DATABASE",
            sqlState: "55P03",
            retryable: true,
        })
    })

    it("keeps what that transaction is about to change, without a wait", async () => {
        const { queue, job } = await makeUnique()
        const id = await job.defer({ payload: { of: "a", n: 1 } })
        const client = await begin()
        await job.defer({ payload: { of: "a", n: 2 }, unique: { onConflict: "replace" }, client })
        expect(await job.deferDetailed({ payload: { of: "a", n: 3 } })).toEqual({ id, outcome: "kept" })
        await client.query("rollback")
        expect(await queue.jobs()).toMatchObject([{ payload: { n: 1 } }])
    })
})

describe.skipIf(!hasServer())("a job that is changed", () => {
    it("is not taken before the transaction ends, and then as it is by then", async () => {
        const queue = await makeQueue()
        const payloads: unknown[] = []
        const job = define(queue.config, (payload) => void payloads.push(payload), {
            unique: { key: "only", onConflict: "replace" },
        })
        const id = await job.defer({ payload: { n: 1 } })
        const client = await begin()
        await job.defer({ payload: { n: 2 }, client })
        queue.worker({ processIntervalMs: 10 })
        await finalizedJob(queue, await job.defer({ payload: { n: 3 }, unique: null }))
        expect(payloads).toEqual([{ n: 3 }])
        await client.query("commit")
        await finalizedJob(queue, id)
        expect(payloads).toEqual([{ n: 3 }, { n: 2 }])
    })

    const TAKEN: [string, Unique, object][] = [
        ["stays as it is", { while: "unfinalized" }, { outcome: "kept" }],
        ["makes room for another", { while: "queued" }, { outcome: "inserted" }],
        ["stays as it is", { while: { forMs: HOUR_MS } }, { outcome: "kept" }],
    ]
    it.each(TAKEN)("when a worker is taking it, %s: %j", async (_words, unique, expected) => {
        for (const onConflict of ["replace", "postpone"] as const) {
            const { queue, job } = await makeUnique({ ...unique, onConflict })
            const id = await job.defer({ payload: { of: "a", n: 1 } })
            const worker = await begin()
            await worker.query(`update ${queue.schema}.job ${CLAIM} where id = $1`, [id])
            const second = job.deferDetailed({ payload: { of: "a", n: 2 } })
            await untilWaitingForLock(queue)
            await worker.query("commit")
            expect(await second).toMatchObject(expected)
            const [row] = await queue.jobs()
            expect(row).toMatchObject({ id: rowID(id), payload: { n: 1 }, state: "running", token: 1 })
        }
    })

    const ENDED: [string, Unique, object][] = [
        ["makes room for another", { while: "unfinalized" }, { outcome: "inserted" }],
        ["makes room for another", { while: "queued" }, { outcome: "inserted" }],
        ["still has its key", { while: { forMs: HOUR_MS } }, { outcome: "kept" }],
    ]
    it.each(ENDED)("when it is being finalized, %s: %j", async (_words, unique, expected) => {
        const { queue, job } = await makeUnique({ ...unique, onConflict: "replace" })
        const id = await job.defer({ payload: { of: "a", n: 1 } })
        const ending = await begin()
        await ending.query(`delete from ${queue.schema}.job where id = $1`, [id])
        const second = job.deferDetailed({ payload: { of: "a", n: 2 } })
        await untilWaitingForLock(queue)
        await ending.query("commit")
        expect(await second).toMatchObject(expected)
    })

    it("fails a transaction with 40001 that saw it before a worker took it", async () => {
        const { queue, job } = await makeUnique({ while: "queued", onConflict: "replace" })
        const id = await job.defer({ payload: { of: "a" } })
        const client = await begin("repeatable read")
        await client.query(`select from ${queue.schema}.job`)
        await queue.sql.query(`update ${queue.schema}.job ${CLAIM} where id = $1`, [id])
        await expect(job.defer({ payload: { of: "a" }, client })).rejects.toMatchObject({ sqlState: "40001" })
    })
})

describe("a job that is postponed", () => {
    it("is not ended by who found before that its time was over", async () => {
        const { queue, job } = await makeUnique({ onConflict: "postpone" })
        const id = await job.defer({ payload: { of: "a" } })
        await queue.sql.query(`update ${queue.schema}.job set expires_at = clock_timestamp()`)
        const core = coreOf(queue.config)
        const { expired } = await selectExpiredJobs({ ...core, afterID: 0, limit: 10 })
        expect(expired).toMatchObject([{ id }])
        expect(await job.deferDetailed({ payload: { of: "a" } })).toEqual({ id, outcome: "postponed" })
        const ended: unknown[] = []
        await finalizeFailed({
            core,
            jobs: expired,
            reason: "timeout",
            onFinalized: (one) => ended.push(one),
        })
        expect(ended).toEqual([])
        expect(await queue.jobs()).toMatchObject([{ id: rowID(id), state: "ready" }])
    })
})

describe("the sweep of keys", () => {
    it("forgets those that no job has, and no others", async () => {
        const { queue, job } = await makeUnique()
        const deferrals = ["queued", "unfinalized", { forMs: HOUR_MS }, { forMs: 1 }] as const
        const ids: number[] = []
        for (const [n, hold] of deferrals.entries())
            for (const of of ["live", "taken", "ended"])
                ids.push(await job.defer({ payload: { of: `${of} ${n}` }, unique: { while: hold } }))
        await queue.sql.query(`update ${queue.schema}.job ${CLAIM} where payload ->> 'of' like 'taken%'`)
        await queue.sql.query(`delete from ${queue.schema}.job where payload ->> 'of' like 'ended%'`)
        queue.orchestrator({ cleanIntervalMs: 10 })
        const keys = `select key from ${queue.schema}.unique_key order by key`
        const held = ["ended 2", "live 0", "live 1", "live 2", "taken 1", "taken 2"]
        await eventually(async () => (await queue.sql.query(keys)).rows.length === held.length)
        expect((await queue.sql.query(keys)).rows.map(({ key }) => key)).toEqual(held)
    })

    it("goes on from chunk to chunk", async () => {
        const { queue, job } = await makeUnique()
        await job.deferMany(Array.from({ length: 25 }, (_, n) => ({ payload: { of: n } })))
        await queue.sql.query(`delete from ${queue.schema}.job`)
        const { run, schema } = coreOf(queue.config)
        let numChunks = 0
        for (
            let after: typeof FIRST_KEY | undefined = FIRST_KEY;
            after !== undefined;
            after = await sweepUniqueKeys({ run, schema, after, limit: 10 })
        )
            numChunks++
        expect(numChunks).toBe(4)
        expect((await queue.sql.query(`select from ${queue.schema}.unique_key`)).rows).toEqual([])
    })

    it("lets a definition be removed only when it is through with its keys", async () => {
        const { queue, job } = await makeUnique({ while: { forMs: HOUR_MS } })
        await job.defer({ payload: { of: "a" } })
        const { schema, sql } = queue
        await sql.query(`delete from ${schema}.job`)
        await sql.query(`update ${schema}.job_definition set heartbeat_at = '-infinity'`)
        const other = queue.otherConfig()
        const sweeping = { cleanIntervalMs: 10, staleJobDefinitionSweepThresholdMs: 0 }
        queue.orchestrator({ config: other, ...sweeping, finalizedJobSweepThresholdMs: 0 })
        const names = `select name, retired_by is not null as is_retired from ${schema}.job_definition`
        await eventually(async () => (await sql.query(names)).rows[0]?.is_retired === true)
        await eventually(async () => {
            await sql.query(`update ${schema}.job_definition set retired_at = '-infinity'`)
            return (await sql.query(names)).rows.length === 1
        })
        expect(await job.deferDetailed({ payload: { of: "a" } })).toMatchObject({ outcome: "kept" })
        await sql.query(`update ${schema}.job_definition set heartbeat_at = '-infinity'`)
        await sql.query(`update ${schema}.unique_key set held_until = '-infinity'`)
        await eventually(async () => (await sql.query(names)).rows.length === 0)
    })

    it.skipIf(!hasServer())("passes over a key that is being taken, and is waited for", async () => {
        const { queue, job } = await makeUnique()
        await job.deferMany([{ payload: { of: "a" } }, { payload: { of: "b" } }])
        await queue.sql.query(`delete from ${queue.schema}.job`)
        const client = await begin()
        await job.defer({ payload: { of: "a" }, client })
        const { schema, run } = coreOf(queue.config)
        await sweepUniqueKeys({ run, schema, after: FIRST_KEY, limit: 10 })
        const keys = `select key from ${queue.schema}.unique_key`
        expect((await queue.sql.query(keys)).rows).toEqual([{ key: "a" }])
        await client.query("commit")
        expect(await job.deferDetailed({ payload: { of: "a" } })).toMatchObject({ outcome: "kept" })

        await queue.sql.query(`delete from ${queue.schema}.job`)
        const sweeper = await begin()
        await sweeper.query(`delete from ${queue.schema}.unique_key`)
        const second = job.deferDetailed({ payload: { of: "a" } })
        await untilWaitingForLock(queue)
        await sweeper.query("commit")
        expect(await second).toMatchObject({ outcome: "inserted" })
    })
})

describe.skipIf(!hasServer())("a deferral with a key", () => {
    it("is not done twice when it is repeated because its answer was lost", async () => {
        const queue = await makeQueue()
        const pool = losesOneAnswer(makePool(), "-- cuckmq: insert-unique-jobs")
        const job = defineUnique(new Config({ pool, schema: queue.schemaName }))
        await expect(job.defer({ payload: { of: "a" } })).rejects.toMatchObject({ retryable: true })
        expect(await job.deferDetailed({ payload: { of: "a" } })).toMatchObject({ outcome: "kept" })
        expect(await queue.jobs()).toHaveLength(1)
    })

    it("meets others of many keys in whatever order, without a deadlock", async () => {
        const queue = await makeQueue()
        const configs = [queue.config, queue.otherConfig(), queue.otherConfig()]
        const jobs = configs.map((config) => defineUnique(config, { onConflict: "replace" }))
        const numDeadlocks = async () => {
            const { rows } = await queue.sql.query(
                "select deadlocks from pg_stat_database where datname = current_database()",
            )
            return Number(rows[0]?.deadlocks)
        }
        const before = await numDeadlocks()
        const keys = Array.from({ length: 30 }, (_, n) => ({ payload: { of: n } }))
        for (let round = 0; round < 5; round++) {
            await queue.sql.query(`delete from ${queue.schema}.job`)
            await Promise.all(
                jobs.flatMap((job, n) => [
                    job.deferMany(n % 2 === 0 ? keys : [...keys].reverse()),
                    ...keys.map((one) => job.defer(one)),
                ]),
            )
            expect(await queue.jobs()).toHaveLength(keys.length)
        }
        expect(await numDeadlocks()).toBe(before)
    })
})
