import { describe, expect, it } from "vitest"
import { JobDefinition } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalized, finalizedJob, rowID } from "../support/finalized.ts"
import { eventually, makeQueue, type Queue } from "../support/with-schema.ts"

/** A definition that no daemon of the queue's own Config knows. */
function defineUnknown(queue: Queue, options: { name?: string; channel?: string } = {}) {
    return new JobDefinition({
        config: queue.otherConfig(),
        name: "unknown",
        ...options,
        jobFunction: () => undefined,
    })
}

/** Lets a worker look around, and come to the end of it. */
async function workerHasLooked(queue: Queue, job: JobDefinition<Record<string, unknown>, unknown>) {
    for (let n = 0; n < 3; n++) await finalizedJob(queue, await job.defer({ payload: {}, delayMs: 20 }))
}

function setHeartbeat({ sql, schema }: Queue, secondsAgo: number): Promise<unknown> {
    return sql.query(
        `update ${schema}.job_definition set heartbeat_at = clock_timestamp() - $1 * interval '1 s'
        where name = 'unknown'`,
        [secondsAgo],
    )
}

describe("a job whose definition the worker does not know", () => {
    it("is left to a worker that does, as in a rolling deploy", async () => {
        const queue = await makeQueue()
        const known = define(queue.config, () => undefined)
        const newer = queue.otherConfig()
        const unknown = define(newer, () => "ran", { name: "unknown" })
        queue.worker()
        const id = await unknown.defer({ payload: {} })
        await workerHasLooked(queue, known)
        expect(await queue.jobs()).toMatchObject([{ id: rowID(id), state: "ready", attempt: 0, token: 0 }])
        const worker = queue.worker({ config: newer })
        expect(await finalizedJob(queue, id)).toMatchObject({
            outcome: "succeeded",
            result: "ran",
            attempt: 1,
        })
        worker.stop()
        await worker.join()
    })

    it("is finalized as orphaned when nobody has vouched for it for the default of 300 seconds", async () => {
        const queue = await makeQueue()
        const known = define(queue.config, () => undefined)
        const jobID = await defineUnknown(queue).defer({ payload: {} })
        await setHeartbeat(queue, 290)
        queue.worker()
        await workerHasLooked(queue, known)
        expect(await queue.jobs()).toMatchObject([{ id: rowID(jobID), state: "ready" }])
        await setHeartbeat(queue, 301)
        const row = await finalizedJob(queue, jobID)
        expect(row).toMatchObject({ outcome: "failed", reason: "orphaned", attempt: 0, worker: null })
        const told = () => queue.events.filter(({ eventType }) => /orphaned$/.test(eventType))
        await eventually(() => told().length > 0)
        expect(told()).toEqual([
            { eventType: "worker-job-finalize-failure-orphaned", jobID, jobName: "unknown" },
        ])
    })

    it("is finalized at once with an `orphanGraceMs` of 0, once by two workers, and those that need it too", async () => {
        const queue = await makeQueue()
        const known = define(queue.config, () => undefined)
        const orphanID = await defineUnknown(queue).defer({ payload: {} })
        const dependentID = await known.defer({ payload: {}, dependencies: [orphanID] })
        queue.worker({ orphanGraceMs: 0 })
        queue.worker({ orphanGraceMs: 0 })
        expect(await finalized(queue, 2)).toMatchObject([
            { id: rowID(orphanID), outcome: "failed", reason: "orphaned" },
            { id: rowID(dependentID), outcome: "failed", reason: "unmet-dependencies" },
        ])
        await workerHasLooked(queue, known)
        expect(
            queue.events.filter(({ eventType }) => eventType === "worker-job-finalize-failure-orphaned"),
        ).toHaveLength(1)
    })

    it("is kept as long as an orchestrator elsewhere vouches for it", async () => {
        const queue = await makeQueue()
        define(queue.config, () => undefined)
        const elsewhere = queue.otherConfig()
        const unknown = define(elsewhere, () => undefined, { name: "unknown" })
        const orchestrator = queue.orchestrator({ config: elsewhere, heartbeatIntervalMs: 20 })
        const id = await unknown.defer({ payload: {} })
        queue.worker({ orphanGraceMs: 500, processIntervalMs: 10 })
        const age = `select clock_timestamp() - created_at > interval '1.2 s' as is_old from ${queue.schema}.job`
        await eventually(async () => {
            const [job] = (await queue.sql.query(age)).rows
            expect(job).toBeDefined()
            return job?.is_old
        })
        orchestrator.stop()
        await orchestrator.join()
        expect(await finalizedJob(queue, id)).toMatchObject({ reason: "orphaned" })
        const heartbeats = queue.events.filter(({ eventType }) => eventType === "orchestrator-heartbeat")
        expect(heartbeats[0]).toEqual({ eventType: "orchestrator-heartbeat", jobNames: ["unknown"] })
    })

    it("is no business of a worker of another channel", async () => {
        const queue = await makeQueue()
        const known = define(queue.config, () => undefined)
        const id = await defineUnknown(queue, { channel: "other" }).defer({ payload: {} })
        queue.worker({ orphanGraceMs: 0 })
        await workerHasLooked(queue, known)
        expect(await queue.jobs()).toMatchObject([{ id: rowID(id), state: "ready", attempt: 0 }])
    })
})
