import { describe, expect, it } from "vitest"
import { runOnClient } from "../../src/db/database.ts"
import { quoteSchema } from "../../src/db/identifier.ts"
import { Config, JobDefinition } from "../../src/index.ts"
import { finalizeRequiredJobs } from "../../src/statements/finalize-jobs.ts"
import { finalizedJob, rowID } from "../support/finalized.ts"
import { waitsBefore } from "../support/flaky-pool.ts"
import { type Gate, makeGate } from "../support/gate.ts"
import { openDirectSession, openSession, untilWaitingForLock } from "../support/transaction.ts"
import { eventually, hasServer, makePool, makeQueue, type Queue, type Sql } from "../support/with-schema.ts"

/** A job that runs until the test opens its gate, and a definition to depend on it with. */
async function startRequired(queue: Queue, outcome: "succeeds" | "fails") {
    const gate: Gate = makeGate()
    const required = new JobDefinition({
        config: queue.config,
        name: "required",
        jobFunction: async () => {
            await gate.opened
            if (outcome === "fails") throw new Error("fails")
        },
    })
    required.register()
    const dependent = new JobDefinition({ config: queue.config, name: "dependent", jobFunction: () => "ran" })
    dependent.register()
    queue.worker({ concurrency: 2 })
    const requiredID = await required.defer({ payload: {} })
    await eventually(async () => (await queue.jobs())[0]?.state === "running")
    return { gate, requiredID, dependent }
}

const OUTCOMES = [
    { ending: "succeeds", expected: { outcome: "succeeded", result: "ran" } },
    { ending: "fails", expected: { outcome: "failed", reason: "unmet-dependencies" } },
] as const

describe.skipIf(!hasServer())("a dependent deferred while the required job ends", () => {
    for (const { ending, expected } of OUTCOMES) {
        it(`is not lost when its transaction commits after the job ${ending}`, async () => {
            const queue = await makeQueue()
            const { gate, requiredID, dependent } = await startRequired(queue, ending)
            const client = await openSession()
            await client.query("begin")
            const id = await dependent.defer({ payload: {}, dependencies: [requiredID], client })
            gate.open()
            await untilWaitingForLock(queue)
            await client.query("commit")
            expect(await finalizedJob(queue, id)).toMatchObject(expected)
            expect(await queue.jobs()).toEqual([])
        })

        it(`is not lost when the first dependent is there already and the job ${ending}`, async () => {
            const queue = await makeQueue()
            const { gate, requiredID, dependent } = await startRequired(queue, ending)
            const firstID = await dependent.defer({ payload: {}, dependencies: [requiredID] })
            const client = await openSession()
            await client.query("begin")
            const secondID = await dependent.defer({ payload: {}, dependencies: [requiredID], client })
            gate.open()
            await untilWaitingForLock(queue)
            await client.query("commit")
            expect(await finalizedJob(queue, firstID)).toMatchObject(expected)
            expect(await finalizedJob(queue, secondID)).toMatchObject(expected)
            expect(await queue.jobs()).toEqual([])
        })

        it(`finds the outcome when it has to wait for a job that ${ending}`, async () => {
            const queue = await makeQueue()
            const { gate, requiredID, dependent } = await startRequired(queue, ending)
            const client = await openDirectSession()
            await client.query("begin")
            await client.query(`select from ${queue.schema}.job where id = $1 for update`, [requiredID])
            gate.open()
            await untilWaitingForLock(queue, 1)
            const deferring = dependent.defer({ payload: {}, dependencies: [requiredID] })
            await untilWaitingForLock(queue, 2)
            await client.query("commit")
            expect(await finalizedJob(queue, await deferring)).toMatchObject(expected)
            expect(await queue.jobs()).toEqual([])
        })
    }

    it("is not refused when two required jobs end, each during another look", async () => {
        const queue = await makeQueue()
        const [one, other] = [await openSession(), await openSession()]
        let numLooks = 0
        const pool = waitsBefore(makePool(), "-- cuckmq: insert-jobs", async () => {
            if (++numLooks === 2) await endWithin(other, first)
        })
        const config = new Config({ pool, schema: queue.schemaName })
        const job = new JobDefinition({ config, name: "job", jobFunction: () => "ran" })
        const [first = 0, second = 0] = await job.deferMany([{ payload: {} }, { payload: {} }])
        const endWithin = async (client: Sql, id: number) => {
            await client.query("begin")
            return finalizeRequiredJobs({
                run: (text, values) => runOnClient(client, text, values),
                schema: quoteSchema(queue.schemaName),
                jobs: [{ id, token: 0, result: null, error: null }],
                outcome: "succeeded",
                ring: 0,
                reason: null,
                worker: "another",
            })
        }
        await endWithin(one, second)
        // The first look waits for the second job, and finds it gone.
        const deferring = job.defer({ payload: {}, dependencies: [first, second] })
        await untilWaitingForLock(queue)
        await one.query("commit")
        // The second look finds the second job in history, and waits for the first.
        await eventually(() => numLooks === 2)
        await untilWaitingForLock(queue)
        await other.query("commit")
        const id = await deferring
        expect(await queue.jobs()).toMatchObject([{ id: rowID(id), state: "ready" }])
    })

    it("leaves nothing behind when its transaction is rolled back", async () => {
        const queue = await makeQueue()
        const { gate, requiredID, dependent } = await startRequired(queue, "succeeds")
        const client = await openSession()
        await client.query("begin")
        await dependent.defer({ payload: {}, dependencies: [requiredID], client })
        gate.open()
        await untilWaitingForLock(queue)
        await client.query("rollback")
        expect(await finalizedJob(queue, requiredID)).toMatchObject({ outcome: "succeeded" })
        expect(await queue.jobs()).toEqual([])
        const { rows } = await queue.sql.query(`select * from ${queue.schema}.job_dependency`)
        expect(rows).toEqual([])
    })
})

describe.skipIf(!hasServer())("jobs that end at the same time", () => {
    it("release the dependent that they share, once", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        const required = new JobDefinition({
            config: queue.config,
            name: "required",
            jobFunction: () => gate.opened,
        })
        required.register()
        const ranIDs: number[] = []
        const dependent = new JobDefinition({
            config: queue.config,
            name: "dependent",
            jobFunction: (_: object, { jobID }) => void ranIDs.push(jobID),
        })
        dependent.register()
        queue.worker({ name: "one" })
        queue.worker({ name: "two" })
        const requiredIDs = await required.deferMany([{ payload: {} }, { payload: {} }])
        const id = await dependent.defer({ payload: {}, dependencies: requiredIDs })
        await eventually(
            async () => (await queue.jobs()).filter((job) => job.state === "running").length === 2,
        )
        const client = await openDirectSession()
        await client.query("begin")
        // Both workers wait here: each has finalized its job, and comes to the dependent that they share.
        await client.query(`select from ${queue.schema}.job where id = $1 for update`, [id])
        gate.open()
        await untilWaitingForLock(queue, 2)
        await client.query("commit")
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded", attempt: 1 })
        expect(ranIDs).toEqual([id])
    })
})
