import { describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { quoteSchema } from "../../src/db/identifier.ts"
import { Inspector } from "../../src/index.ts"
import { performSlice } from "../../src/operate/operation-run.ts"
import { deleteJobs } from "../../src/statements/delete-jobs.ts"
import {
    countFittingJobs,
    type JobFilter,
    type ListSource,
    listJobs,
} from "../../src/statements/list-jobs.ts"
import { lockFittingJobs } from "../../src/statements/lock-fitting-jobs.ts"
import { registerPriorityOf } from "../../src/statements/priorities.ts"
import { runJobsNow, setDueTime } from "../../src/statements/put-due.ts"
import type { Query } from "../../src/statements/query.ts"
import { replayJobs } from "../../src/statements/replay-jobs.ts"
import { costIn } from "../support/cost.ts"
import { define } from "../support/define.ts"
import { fillQueue } from "../support/large-queue.ts"
import { openSession } from "../support/transaction.ts"
import { eventually, hasServer, hasSessions, makeQueue } from "../support/with-schema.ts"

const SIZE = { numLive: 100_000, numFinalized: 300_000 }
const CHUNK = 500

/** The walks through indexes from their roots, and the rows, that one job may cost: seven indexes, and a partition more. */
const MAX_PAGES_OF_JOB = 60

/** Of history, a look for one id goes into the index of each of 21 slots. */
const MAX_PAGES_OF_PAST_JOB = 120

/** Where it was found by a filter, it is looked for in one of them. */
const MAX_PAGES_OF_FOUND_JOB = 15

const FILTER: JobFilter = {
    definition: null,
    channel: null,
    state: "ready,delayed",
    key: null,
    createdAfterMs: null,
    createdBeforeMs: Date.now() + 3_600_000,
    errorText: null,
    payload: null,
    reason: null,
    finalizedAfterMs: null,
    finalizedBeforeMs: null,
}

const find = (source: ListSource, afterID: number, limit: number, filter: Partial<JobFilter> = {}) => {
    const look = { sources: [source], order: "asc", afterID, limit, numLooks: 20_000 } as const
    return (query: Query) => listJobs({ ...query, ...look, filter: { ...FILTER, ...filter } })
}

/** The ids of live jobs in the middle of all, and of dead letters and others in history. */
const LIVE = Array.from({ length: CHUNK }, (_, n) => SIZE.numFinalized + SIZE.numLive / 2 + n * 10)
const DELAYED = LIVE.map((id) => id + 6)
const PAST = Array.from({ length: CHUNK }, (_, n) => SIZE.numFinalized / 2 + n * 10 + 1)
const FOUND = PAST.map((id) => id + 1)
const DEAD = Array.from({ length: SIZE.numFinalized / 1_000 }, (_, n) => (n + 1) * 1_000)

/** Where `fillQueue` has put a job that succeeded. */
const slotOf = (id: number) => Math.floor((id * 12) / (SIZE.numFinalized + 1))

const PRIORITY = { ids: LIVE, priority: 9 }
const DUE = { ids: LIVE, dueAtMs: Date.now() + 3_600_000 }

/** What a chunk of an operation does, and how many pages it may touch: those of a table are thousands. */
const STATEMENTS: [name: string, maxPages: number, execute: (query: Query) => Promise<unknown>][] = [
    ["finding 500 at the beginning", 600, find("live", 0, CHUNK)],
    ["finding 500 in the middle", 600, find("live", LIVE[0] ?? 0, CHUNK)],
    ["finding none among 20,000", 2_500, find("live", 0, CHUNK, { definition: "nope" })],
    ["finding dead letters", 1_500, find("replayable", 0, CHUNK, { state: "failed" })],
    [
        "counting among 20,000",
        2_500,
        (query) =>
            countFittingJobs({ ...query, source: "live", afterID: 0, filter: FILTER, numLooks: 20_000 }),
    ],
    ["locking", 12 * CHUNK, (query) => lockFittingJobs({ ...query, ids: LIVE, filter: FILTER })],
    ["registering a priority", 12 * CHUNK, (query) => registerPriorityOf({ ...query, ...PRIORITY })],
    ["making due", MAX_PAGES_OF_JOB * CHUNK, (query) => runJobsNow({ ...query, ids: DELAYED })],
    ["putting off", MAX_PAGES_OF_JOB * CHUNK, (query) => setDueTime({ ...query, ...DUE })],
    ["deleting", MAX_PAGES_OF_PAST_JOB * CHUNK, (query) => deleteJobs({ ...query, ids: PAST })],
    [
        "deleting those of which the slots are known",
        MAX_PAGES_OF_FOUND_JOB * CHUNK,
        (query) => deleteJobs({ ...query, ids: FOUND, slots: FOUND.map(slotOf) }),
    ],
    [
        "replaying",
        2 * MAX_PAGES_OF_PAST_JOB * DEAD.length,
        (query) => replayJobs({ ...query, ids: DEAD, intervalMs: null }),
    ],
]

describe.skipIf(!hasServer()).each(["vacuum analyze", "vacuum"] as const)(
    "an operation, in a large queue after `%s`,",
    (gather) => {
        it("touches few pages for each chunk", { timeout: 120_000 }, async () => {
            const queue = await makeQueue()
            await fillQueue(queue, { ...SIZE, gather })
            const costs: { name: string; numPages: number; maxPages: number; plan: string }[] = []
            for (const [name, maxPages, execute] of STATEMENTS) {
                const run = async (text: string, values: unknown[]) => {
                    const explaining = `explain (analyze, buffers, format json) ${text}`
                    const { rows } = await queue.sql.query(explaining, values)
                    const { numPages, plan } = costIn(rows)
                    costs.push({ name, numPages, maxPages, plan: numPages > maxPages ? plan : "" })
                    return []
                }
                await execute({ run, schema: quoteSchema(queue.schemaName) })
            }
            if (process.env.CUCKMQ_SHOW_COSTS !== undefined) console.info(costs)
            expect(costs).toHaveLength(STATEMENTS.length)
            expect(costs.filter(({ numPages, maxPages }) => numPages > maxPages)).toEqual([])
        })
    },
)

describe.skipIf(!hasServer())("an operation on 100,000 jobs", () => {
    it("changes each once, a chunk at a time", { timeout: 120_000 }, async () => {
        const queue = await makeQueue()
        await fillQueue(queue, { numLive: 200_000, numFinalized: 1_000, gather: "vacuum analyze" })
        const inspector = new Inspector({ config: queue.config })
        const before = await queue.sql.query(`select nextval('${queue.schema}.job_sequence') as id`)
        const filter = { state: "ready" } as const
        const { operationID, progress } = await inspector.changeAll(
            { action: "set-priority", priority: 4 },
            filter,
        )
        // Known beforehand where the server counts so many in time.
        expect([100_000, null]).toContain(progress.numExpected)
        const beganMs = performance.now()
        while (await performSlice({ core: coreOf(queue.config), holder: "alone" }));
        if (process.env.CUCKMQ_SHOW_COSTS !== undefined)
            console.info(`${(performance.now() - beganMs) / 200} ms a chunk`)
        expect(await inspector.operation(operationID)).toMatchObject({
            state: "done",
            progress: { numLookedAt: 100_000, numDone: 100_000, numSkipped: 0 },
        })
        // Each change takes a place in a lane, and none has been taken for nothing.
        const after = await queue.sql.query(`select nextval('${queue.schema}.job_sequence') as id`)
        expect(Number(after.rows[0]?.id) - Number(before.rows[0]?.id)).toBe(100_001)
    })
})

describe.skipIf(!hasSessions())("an operation that comes to a job which somebody has locked for long", () => {
    it("skips it after five seconds, and changes the others", { timeout: 60_000 }, async () => {
        const queue = await makeQueue()
        const inspector = new Inspector({ config: queue.config })
        const ids = await define(queue.config, () => undefined).deferMany(
            Array.from({ length: 1_000 }, () => ({ payload: {} })),
        )
        const session = await openSession()
        await session.query("begin")
        await session.query(`select from ${queue.schema}.job where id = $1 for update`, [ids[300]])
        queue.orchestrator()
        const { operationID } = await inspector.changeAll({ action: "set-priority", priority: 4 }, {})
        const operation = await eventually(async () => {
            const found = await inspector.operation(operationID)
            return found !== null && found.endedAt !== null && found
        }, 25_000)
        expect(operation).toMatchObject({ state: "done", progress: { numDone: 999, numSkipped: 1 } })
        await session.query("rollback")
    })
})
