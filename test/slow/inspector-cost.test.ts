import { describe, expect, it } from "vitest"
import { quoteSchema } from "../../src/db/identifier.ts"
import { checkQueue } from "../../src/statements/check-queue.ts"
import { countJobs } from "../../src/statements/count-jobs.ts"
import { explainJob } from "../../src/statements/explain-job.ts"
import { firstIDSince } from "../../src/statements/first-id-since.ts"
import { inspectJob } from "../../src/statements/inspect-job.ts"
import { type JobFilter, type ListSource, listJobs } from "../../src/statements/list-jobs.ts"
import { promoteDelayedJobs } from "../../src/statements/promote-delayed-jobs.ts"
import type { Query } from "../../src/statements/query.ts"
import { costIn } from "../support/cost.ts"
import { fillQueue } from "../support/large-queue.ts"
import { hasServer, makeQueue } from "../support/with-schema.ts"

const SIZE = { numLive: 150_000, numFinalized: 400_000 }
const NUM_LOOKS = 5_000

const NO_FILTER: JobFilter = {
    definition: null,
    channel: null,
    state: null,
    key: null,
    createdAfterMs: null,
    createdBeforeMs: null,
    errorText: null,
    payload: null,
    reason: null,
    finalizedAfterMs: null,
    finalizedBeforeMs: null,
}

const list =
    (sources: ListSource[], filter: Partial<JobFilter> = {}) =>
    (query: Query) =>
        listJobs({
            ...query,
            ...{ sources, order: "desc", afterID: Number.MAX_SAFE_INTEGER, limit: 100, numLooks: NUM_LOOKS },
            filter: { ...NO_FILTER, ...filter },
        })

const bounds = { numReady: 10_000, numOthers: 2_500, numEdges: 1_250 }
const LAST = SIZE.numLive + SIZE.numFinalized

/** What an inspector asks for, and how many pages it may touch: those of a whole table or index are thousands. */
const STATEMENTS: [name: string, maxPages: number, execute: (query: Query) => Promise<unknown>][] = [
    ["counts", 9_000, (query) => countJobs({ ...query, bounds })],
    ["what is overdue", 50, (query) => checkQueue({ ...query, graceMs: 0 })],
    // Not of an inspector, but it comes upon the same jobs that are not due.
    ["making due jobs ready", 50, (query) => promoteDelayedJobs({ ...query, limit: 100 })],
    ["a list of all", 600, list(["live", "finalized"])],
    ["a list of what is not there", 600, list(["live", "finalized"], { definition: "nope" })],
    ["a list of failed ones", 400, list(["failed"])],
    ["a list of running ones", 50, list(["running"])],
    ["a list by payload", 600, list(["live", "finalized"], { payload: '{"to": "bob"}' })],
    ["the beginning of a time", 4_000, (query) => firstIDSince({ ...query, sinceMs: Date.now() - 200_000 })],
    ["a finalized job", 150, (query) => inspectJob({ ...query, id: 77, maxRelated: 100 })],
    ["a live job", 150, (query) => inspectJob({ ...query, id: LAST - 3, maxRelated: 100 })],
    ["the explanation of the last one", 700, (query) => explainJob({ ...query, id: LAST - 99 })],
    ["the explanation of one in a group", 700, (query) => explainJob({ ...query, id: LAST - 9 })],
]

describe.skipIf(!hasServer()).each(["vacuum analyze", "vacuum"] as const)(
    "an inspector, in a large queue after `%s`,",
    (gather) => {
        it("touches few pages of it, whatever it is asked", { timeout: 120_000 }, async () => {
            const queue = await makeQueue()
            await fillQueue(queue, { ...SIZE, gather })
            const costs: [name: string, numPages: number, maxPages: number][] = []
            for (const [name, maxPages, execute] of STATEMENTS) {
                const run = async (text: string, values: unknown[]) => {
                    const explaining = `explain (analyze, buffers, format json) ${text}`
                    const { rows } = await queue.sql.query(explaining, values)
                    costs.push([name, costIn(rows).numPages, maxPages])
                    return []
                }
                await execute({ run, schema: quoteSchema(queue.schemaName) })
            }
            expect(costs).toHaveLength(STATEMENTS.length)
            expect(costs.filter(([, numPages, maxPages]) => numPages > maxPages)).toEqual([])
        })
    },
)
