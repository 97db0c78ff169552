import { describe, expect, it } from "vitest"
import { runOnClient } from "../../src/db/database.ts"
import type { Run } from "../../src/db/driver.ts"
import { quoteSchema } from "../../src/db/identifier.ts"
import { finalizeJobs, finalizeRequiredJobs } from "../../src/statements/finalize-jobs.ts"
import { moveJobs } from "../../src/statements/leases.ts"
import type { ClaimKey, Query } from "../../src/statements/query.ts"
import { retryJobs } from "../../src/statements/retry-jobs.ts"
import { returnJobs } from "../../src/statements/return-jobs.ts"
import { snoozeJobs } from "../../src/statements/snooze-jobs.ts"
import { define } from "../support/define.ts"
import { finalized } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { eventually, makeQueue } from "../support/with-schema.ts"

const END = { result: '"stale"', error: null }
const SUCCESS = { outcome: "succeeded", reason: null, worker: "stale", ring: 0 } as const
const FAILURE = { outcome: "failed", reason: "error", worker: "stale", ring: 1 } as const

/** Every statement that a worker writes with about a job that it has claimed. */
const WRITES: Record<string, (query: Query, job: ClaimKey) => Promise<readonly number[] | undefined>> = {
    complete: (query, job) => finalizeJobs({ ...query, ...SUCCESS, jobs: [{ ...job, ...END }] }),
    fail: (query, job) => finalizeJobs({ ...query, ...FAILURE, jobs: [{ ...job, ...END }] }),
    "complete, with dependents": (query, job) =>
        finalizeRequiredJobs({ ...query, ...SUCCESS, jobs: [{ ...job, ...END }] }),
    "fail, with dependents": (query, job) =>
        finalizeRequiredJobs({ ...query, ...FAILURE, jobs: [{ ...job, ...END }] }),
    retry: async (query, job) =>
        (await retryJobs({ ...query, jobs: [{ ...job, delayMs: 0, error: "{}" }] })).ids,
    "put off": async (query, job) => (await snoozeJobs({ ...query, jobs: [{ ...job, delayMs: 0 }] })).ids,
    "hand back": async (query, job) => (await returnJobs({ ...query, jobs: [job] })).ids,
    "move to another lease": async (query, job) => {
        await moveJobs({ ...query, jobs: [job], leaseID: 0 })
        return undefined
    },
}

/** A job that runs under its second claim. */
async function makeRunning() {
    const queue = await makeQueue()
    const run: Run = (text, values) => runOnClient(queue.sql as never, text, values)
    const query: Query = { run, schema: quoteSchema(queue.schemaName) }
    const gate = makeGate()
    const job = define(
        queue.config,
        async (_payload, { attempt }) => {
            if (attempt === 1) throw new Error("first")
            await gate.opened
        },
        { numAttempts: 1 },
    )
    queue.worker()
    const id = await job.defer({ payload: {} })
    await eventually(async () => (await queue.jobs())[0]?.token === 2)
    return { ...queue, query, gate, id }
}

describe("a claim that another came after", () => {
    it.each(Object.entries(WRITES))("cannot %s", async (_name, write) => {
        const { query, id, gate, jobs, history } = await makeRunning()
        const before = await jobs()
        for (const token of [0, 1, 3]) expect((await write(query, { id, token })) ?? []).toEqual([])
        expect(await jobs()).toEqual(before)
        expect(await history()).toEqual([])
        gate.open()
    })

    it.each(Object.entries(WRITES))("cannot %s once the job is over", async (_name, write) => {
        const queue = await makeRunning()
        queue.gate.open()
        const [row] = await finalized(queue, 1)
        for (const token of [0, 1, 2])
            expect((await write(queue.query, { id: queue.id, token })) ?? []).toEqual([])
        expect(await queue.jobs()).toEqual([])
        expect(await queue.history()).toEqual([row])
    })
})
