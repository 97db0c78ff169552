import { describe, expect, it } from "vitest"
import { JobDefinition } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalizedJob } from "../support/finalized.ts"
import { inTransaction } from "../support/transaction.ts"
import { eventually, hasServer, makeQueue, type Queue } from "../support/with-schema.ts"

function isRetired(queue: Queue, name: string): boolean {
    return queue.events.some(
        (event) => event.eventType === "orchestrator-stale-job-definition-sweep" && event.jobName === name,
    )
}

async function definitions({ sql, schema }: Queue): Promise<Record<string, unknown>[]> {
    return (await sql.query(`select * from ${schema}.job_definition order by id`)).rows
}

/** An orchestrator that knows nothing but what the database tells it, and has no patience. */
function sweep(queue: Queue, options = {}) {
    return queue.orchestrator({
        config: queue.otherConfig(),
        cleanIntervalMs: 10,
        staleJobDefinitionSweepThresholdMs: 0,
        ...options,
    })
}

describe("a definition that no daemon vouches for", () => {
    it("is retired, told once, and comes back when a job is deferred to it", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => "again")
        const worker = queue.worker()
        await finalizedJob(queue, await job.defer({ payload: {} }))
        worker.stop()
        await worker.join()
        const orchestrator = sweep(queue)
        sweep(queue)
        await eventually(() => isRetired(queue, "job"))
        expect(await definitions(queue)).toMatchObject([{ name: "job", retired_at: expect.anything() }])
        orchestrator.stop()
        await orchestrator.join()
        const sweeps = queue.events.filter(
            ({ eventType }) => eventType === "orchestrator-stale-job-definition-sweep",
        )
        expect(sweeps).toHaveLength(1)
        const id = await job.defer({ payload: {} })
        worker.start()
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded", result: "again" })
    })

    it("is never retired while it has live jobs", async () => {
        const queue = await makeQueue()
        const make = (name: string) =>
            new JobDefinition({ config: queue.config, name, jobFunction: () => undefined })
        await make("delayed").defer({ payload: {}, delayMs: 3_600_000 })
        await make("ready").defer({ payload: {} })
        const [required] = await queue.jobs()
        await make("blocked").defer({ payload: {}, dependencies: [Number(required?.id)] })
        const done = define(queue.config, () => undefined, { name: "done" })
        queue.worker()
        await finalizedJob(queue, await done.defer({ payload: {} }))
        sweep(queue)
        await eventually(() => isRetired(queue, "done"))
        const kept = (await definitions(queue)).filter(({ retired_at }) => retired_at === null)
        expect(kept.map(({ name }) => name)).toEqual(["delayed", "ready", "blocked"])
    })

    it("is removed when the history of its jobs is gone, and can be made again", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        const worker = queue.worker()
        await finalizedJob(queue, await job.defer({ payload: {} }))
        worker.stop()
        await worker.join()
        const orchestrator = sweep(queue, { finalizedJobSweepThresholdMs: 300 })
        await eventually(async () => (await definitions(queue)).length === 0)
        expect(await queue.history()).toEqual([])
        orchestrator.stop()
        await orchestrator.join()
        const id = await job.defer({ payload: {} })
        queue.worker()
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded" })
    })

    it("is not retired before the threshold", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        const stale = define(queue.config, () => undefined, { name: "stale" })
        const worker = queue.worker()
        await finalizedJob(queue, await job.defer({ payload: {} }))
        await finalizedJob(queue, await stale.defer({ payload: {} }))
        worker.stop()
        await worker.join()
        const ago = `update ${queue.schema}.job_definition
            set heartbeat_at = clock_timestamp() - case name when 'stale' then interval '61 min' else interval '59 min' end`
        await queue.sql.query(ago)
        queue.orchestrator({ config: queue.otherConfig(), cleanIntervalMs: 10 })
        await eventually(() => isRetired(queue, "stale"))
        expect(isRetired(queue, "job")).toBe(false)
    })

    it.skipIf(!hasServer())("keeps the job that was being deferred while it was retired", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => "kept")
        const worker = queue.worker()
        await finalizedJob(queue, await job.defer({ payload: {} }))
        worker.stop()
        await worker.join()
        const id = await inTransaction(queue, async (client) => {
            const deferred = await job.defer({ payload: {}, client })
            sweep(queue, { finalizedJobSweepThresholdMs: 1 })
            await eventually(() => isRetired(queue, "job"))
            return deferred
        })
        await eventually(async () => (await definitions(queue)).some(({ retired_at }) => retired_at === null))
        const elsewhere = queue.otherConfig()
        define(elsewhere, () => "kept")
        const finder = queue.worker({ config: elsewhere })
        await eventually(() =>
            queue.events.some(
                (event) => event.eventType === "worker-job-finalize-success" && event.jobID === id,
            ),
        )
        finder.stop()
        await finder.join()
    })
})

describe("a definition that an orchestrator vouches for", () => {
    it("is not retired, however old it is", async () => {
        const queue = await makeQueue()
        const mine = define(queue.config, () => undefined, { name: "mine" })
        const gone = define(queue.otherConfig(), () => undefined, { name: "gone" })
        const worker = queue.worker()
        await finalizedJob(queue, await mine.defer({ payload: {} }))
        worker.stop()
        await worker.join()
        await gone.defer({ payload: {} })
        await queue.sql.query(`delete from ${queue.schema}.job`)
        const old = `update ${queue.schema}.job_definition set heartbeat_at = clock_timestamp() - interval '1 hour'`
        await queue.sql.query(old)
        queue.orchestrator({
            cleanIntervalMs: 10,
            heartbeatIntervalMs: 10,
            staleJobDefinitionSweepThresholdMs: 2_000,
        })
        await eventually(() => isRetired(queue, "gone"))
        expect(isRetired(queue, "mine")).toBe(false)
        expect((await definitions(queue)).map(({ name, retired_at }) => [name, retired_at === null])).toEqual(
            [
                ["mine", true],
                ["gone", false],
            ],
        )
    })
})
