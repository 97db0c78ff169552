import { describe, expect, it } from "vitest"
import { JobDefinition } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalized, finalizedJob, rowID } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { eventually, makeQueue } from "../support/with-schema.ts"

const TIMEOUT = "orchestrator-job-finalize-failure-timeout"

describe("a job that is not finalized within its timeoutIntervalMs", () => {
    it("is finalized by an orchestrator when no worker takes it", async () => {
        const queue = await makeQueue()
        const job = new JobDefinition({
            config: queue.config,
            name: "job",
            timeoutIntervalMs: 50,
            jobFunction: () => undefined,
        })
        const jobID = await job.defer({ payload: {} })
        queue.orchestrator({ cleanIntervalMs: 10 })
        queue.orchestrator({ cleanIntervalMs: 10 })
        expect(await finalizedJob(queue, jobID)).toMatchObject({
            outcome: "failed",
            reason: "timeout",
            attempt: 0,
            worker: null,
        })
        await eventually(() => queue.events.some(({ eventType }) => eventType === TIMEOUT))
        expect(queue.events.filter(({ eventType }) => eventType === TIMEOUT)).toEqual([
            { eventType: TIMEOUT, jobID, jobName: "job" },
        ])
    })

    it("is finalized while it is blocked, and with it those that wait for it", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        const required = define(queue.config, () => gate.opened, { name: "required" })
        const short = define(queue.config, () => undefined, { name: "short", timeoutIntervalMs: 50 })
        queue.worker()
        const requiredID = await required.defer({ payload: {} })
        const blockedID = await short.defer({ payload: {}, dependencies: [requiredID] })
        const lastID = await required.defer({ payload: {}, dependencies: [blockedID] })
        queue.orchestrator({ cleanIntervalMs: 10 })
        expect(await finalized(queue, 2)).toMatchObject([
            { id: rowID(blockedID), outcome: "failed", reason: "timeout" },
            { id: rowID(lastID), outcome: "failed", reason: "unmet-dependencies" },
        ])
        gate.open()
        expect(await finalizedJob(queue, requiredID)).toMatchObject({ outcome: "succeeded" })
        const edges = await queue.sql.query(`select * from ${queue.schema}.job_dependency`)
        expect(edges.rows).toEqual([])
    })

    it("is not started any more by a worker that comes late", async () => {
        const queue = await makeQueue()
        let numRuns = 0
        const job = define(queue.config, () => void numRuns++, { timeoutIntervalMs: 1, numAttempts: 3 })
        const jobID = await job.defer({ payload: {} })
        const isOver = `select expires_at < clock_timestamp() as yes from ${queue.schema}.job`
        await eventually(async () => (await queue.sql.query(isOver)).rows[0]?.yes)
        queue.worker()
        expect(await finalizedJob(queue, jobID)).toMatchObject({ outcome: "failed", reason: "timeout" })
        expect(numRuns).toBe(0)
    })

    it("is counted from the moment it is due, so a delay does not use it up", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => "ran", { timeoutIntervalMs: 5_000 })
        const id = await job.defer({ payload: {}, delayMs: 200 })
        const [row] = await queue.jobs()
        expect(Number(row?.expires_at) - Number(row?.due_at)).toBe(5_000)
        queue.orchestrator({ cleanIntervalMs: 10 })
        queue.worker()
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded", result: "ran" })
    })

    it("is ended from outside when its worker does not, and what that does later changes nothing", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        const job = define(queue.config, () => gate.opened.then(() => "late"))
        const worker = queue.worker()
        const jobID = await job.defer({ payload: {} })
        await eventually(async () => (await queue.jobs())[0]?.state === "running")
        const over = `update ${queue.schema}.job set expires_at = clock_timestamp() - interval '6 s'`
        await queue.sql.query(over)
        queue.orchestrator({ cleanIntervalMs: 10 })
        const row = await finalizedJob(queue, jobID)
        expect(row).toMatchObject({ outcome: "failed", reason: "timeout", result: null, attempt: 1 })
        gate.open()
        worker.stop()
        await worker.join()
        expect(await queue.history()).toEqual([row])
        const about = { jobID, jobName: "job", attempt: 1 }
        expect(queue.events).toContainEqual({ eventType: "worker-job-lease-lost", ...about })
        expect(queue.events.some(({ eventType }) => eventType === "worker-job-finalize-success")).toBe(false)
    })
})
