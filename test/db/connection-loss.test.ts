import type pg from "pg"
import { describe, expect, it } from "vitest"
import { Config, DatabaseError } from "../../src/index.ts"
import { makeCuttingProxy } from "../support/cutting-proxy.ts"
import { define } from "../support/define.ts"
import { finalizedJob, finalizedJobs } from "../support/finalized.ts"
import { makeRole } from "../support/role.ts"
import { openSession, untilWaitingForLock } from "../support/transaction.ts"
import {
    eventually,
    hasServer,
    hasSessions,
    makePool,
    makeQueue,
    type Queue,
    queueURL,
} from "../support/with-schema.ts"

const NUM_ROUNDS = 5

/** A queue whose sessions, those of the pool and the listening one, are known by a name. */
async function makeNamedQueue(pool = {}) {
    const name = `cuckmq-test-${Math.random().toString(36).slice(2)}`
    const queue = await makeQueue({ pool: { application_name: name, ...pool } })
    const sessions = async (where: string) => {
        const text = `select pid from pg_stat_activity where application_name = $1 and ${where}`
        return (await queue.sql.query(text, [name])).rows.map(({ pid }) => Number(pid))
    }
    const terminate = async (pids: readonly number[]) => {
        await queue.sql.query("select pg_terminate_backend(pid) from unnest($1::int[]) as pid", [pids])
    }
    return { ...queue, sessions, terminate }
}

function countOf(queue: Queue, eventType: string): number {
    return queue.events.filter((event) => event.eventType === eventType).length
}

describe.skipIf(!hasServer())("connections that the server cuts", () => {
    it("all of them, again and again, lose no job and stop no daemon", async () => {
        const queue = await makeNamedQueue()
        let numRuns = 0
        const job = define(queue.config, () => void numRuns++)
        queue.worker({ concurrency: 5 })
        queue.worker({ concurrency: 5 })
        queue.orchestrator({ cleanIntervalMs: 50 })
        const ids: number[] = []
        let isProducing = true
        const producer = (async () => {
            while (isProducing) {
                const id = await job.defer({ payload: {} }).catch((error: unknown) => {
                    expect(error).toBeInstanceOf(DatabaseError)
                    expect(error).toMatchObject({ retryable: true })
                })
                if (id !== undefined) ids.push(id)
            }
        })()
        // A pooler's connections are used by turns: those of the daemons may be idle when they are cut.
        for (let round = 1; round <= NUM_ROUNDS || countOf(queue, "daemon-error") === 0; round++) {
            const numBefore = numRuns
            await eventually(() => numRuns > numBefore + 10)
            await queue.terminate(await queue.sessions("true"))
        }
        isProducing = false
        await producer
        const rows = await finalizedJobs(queue, ids)
        expect(rows.filter(({ outcome }) => outcome !== "succeeded")).toEqual([])
        expect(countOf(queue, "daemon-stop")).toBe(0)
    })

    // PgBouncer passes no notifications on; what becomes of the listening connection there, pooler.test.ts says.
    it.skipIf(!hasSessions())("the listening one is opened again, and heard, however often", async () => {
        const queue = await makeNamedQueue()
        define(queue.config, () => undefined)
        // Polls so seldom that only a notification can wake it.
        queue.worker({ processIntervalMs: 60_000 })
        const elsewhere = define(queue.otherConfig(), () => undefined)
        let lastPID = 0
        for (let round = 1; round <= 10; round++) {
            const [pid = 0] = await eventually(async () => {
                const pids = await queue.sessions("query like 'listen %' and state = 'idle'")
                return pids.length === 1 && pids[0] !== lastPID && pids
            })
            const id = await elsewhere.defer({ payload: {} })
            expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded" })
            await queue.terminate([pid])
            lastPID = pid
        }
    })

    it.skipIf(!hasSessions())(
        "the listening one, as soon as it is there, leave jobs to be found by polling",
        async () => {
            const queue = await makeNamedQueue()
            define(queue.config, () => undefined)
            queue.worker({ processIntervalMs: 100 })
            const elsewhere = define(queue.otherConfig(), () => undefined)
            let isCutting = true
            const cutter = (async () => {
                for (let numCut = 0; isCutting; ) {
                    const pids = await queue.sessions("query like 'listen %'")
                    await queue.terminate(pids)
                    numCut += pids.length
                    if (numCut >= 10) isCutting = false
                }
            })()
            const ids: number[] = []
            while (isCutting) {
                const deferred = await elsewhere.deferMany([{ payload: {} }, { payload: {} }])
                ids.push(...deferred)
                await finalizedJobs(queue, deferred)
            }
            await cutter
            const rows = await finalizedJobs(queue, ids)
            expect(rows.filter(({ outcome, attempt }) => outcome !== "succeeded" || attempt !== 1)).toEqual(
                [],
            )
            expect(queue.events.filter(({ eventType }) => eventType === "daemon-error")).toEqual([])
        },
        // One that is cut while it begins to listen waits twice as long before the next try, up to ten seconds.
        120_000,
    )
})

// PgBouncer passes no notifications on; what becomes of the listening connection there, pooler.test.ts says.
describe.skipIf(!hasSessions())("the listening connection", () => {
    it("is opened again when it is cut in the moment in which it begins to listen", async () => {
        const queue = await makeQueue()
        const proxy = await makeCuttingProxy(queueURL(), 3)
        const pool: pg.Pool = makePool({ connectionString: proxy.url, max: 3 })
        const config = new Config({ pool, schema: queue.schemaName })
        define(config, () => undefined)
        queue.worker({ config, processIntervalMs: 60_000 })
        const elsewhere = define(queue.otherConfig(), () => undefined)
        // What is deferred before it listens is found when it begins to.
        for (let n = 0; n < 3; n++) await finalizedJob(queue, await elsewhere.defer({ payload: {} }))
    })

    it("ends with the last daemon, however soon that is stopped and started", async () => {
        const queue = await makeNamedQueue()
        for (let round = 1; round <= 5; round++) {
            const worker = queue.worker()
            worker.stop()
            await worker.join()
        }
        const last = queue.worker()
        await eventually(async () => (await queue.sessions("query like 'listen %'")).length > 0)
        last.stop()
        await last.join()
        await eventually(async () => (await queue.sessions("query like 'listen %'")).length === 0)
    })
})

describe.skipIf(!hasServer())("a role with a statement_timeout", () => {
    it("has its refused statements repeated, and no job changed by them", async () => {
        const queue = await makeQueue({
            pool: { role: await makeRole({ settings: { statement_timeout: "400" } }) },
        })
        const job = define(queue.config, () => "done")
        queue.worker()
        queue.orchestrator({ cleanIntervalMs: 50 })
        await finalizedJob(queue, await job.defer({ payload: {} }))
        const session = await openSession()
        await session.query("begin")
        await session.query(`lock table ${queue.schema}.job in access exclusive mode`)
        await untilWaitingForLock(queue)
        await eventually(() => countOf(queue, "daemon-error") >= 2)
        await expect(job.defer({ payload: {} })).rejects.toMatchObject({ sqlState: "57014", retryable: true })
        await session.query("commit")
        const id = await job.defer({ payload: {} })
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded", attempt: 1, token: 1 })
    })
})
