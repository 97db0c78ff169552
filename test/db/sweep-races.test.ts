import { describe, expect, inject, it } from "vitest"
import { Config } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalizedJob } from "../support/finalized.ts"
import { waitsBefore } from "../support/flaky-pool.ts"
import { makeGate } from "../support/gate.ts"
import { openSession, untilWaitingForLock } from "../support/transaction.ts"
import { eventually, hasServer, makePool, makeQueue, type Queue } from "../support/with-schema.ts"

/** A queue with a definition whose jobs fail, and the id of one that has. */
async function makeFailed() {
    const queue = await makeQueue()
    const failing = define(
        queue.config,
        () => {
            throw new Error("fails")
        },
        { name: "failing" },
    )
    const dependent = define(queue.config, () => "ran", { name: "dependent" })
    const worker = queue.worker()
    const failedID = await failing.defer({ payload: {} })
    await finalizedJob(queue, failedID)
    return { queue, worker, dependent, failedID }
}

describe.skipIf(!hasServer())(
    "a job that is deferred while the history of one that it depends on is swept",
    () => {
        it("does not exist when the sweep came first, whatever its statement saw", async () => {
            const { queue, dependent, failedID } = await makeFailed()
            const sweeper = await openSession()
            await sweeper.query("begin")
            await sweeper.query(`truncate ${queue.schema}.job_history_12`)
            const deferred = dependent.defer({ payload: {}, dependencies: [failedID] })
            const refusal = expect(deferred).rejects.toMatchObject({
                code: "CUCKMQ_DEPENDENCY_NOT_FOUND",
                jobIDs: [failedID],
            })
            await untilWaitingForLock(queue)
            await sweeper.query("commit")
            await refusal
            expect(await queue.jobs()).toEqual([])
        })

        it("never runs when it came first and what it depends on had failed", async () => {
            const { queue, worker, dependent, failedID } = await makeFailed()
            worker.stop()
            await worker.join()
            const session = await openSession()
            await session.query("begin")
            const id = await dependent.defer({ payload: {}, dependencies: [failedID], client: session })
            queue.orchestrator({
                cleanIntervalMs: 10,
                finalizedJobSweepThresholdMs: 20,
                failedJobSweepThresholdMs: 20,
            })
            // A role that may not truncate deletes, which waits for no reader.
            if (inject("leg") === "roles") await eventually(async () => (await queue.history()).length === 0)
            else await untilWaitingForLock(queue)
            await session.query("commit")
            await eventually(() =>
                queue.events.some(
                    (event) =>
                        event.eventType === "orchestrator-job-finalize-failure-unmet-dependencies" &&
                        event.jobID === id,
                ),
            )
            await eventually(async () => (await queue.history()).length === 0)
            expect(await queue.jobs()).toEqual([])
        })
    },
)

describe.skipIf(!hasServer())("a chore that acts on what it saw a moment ago", () => {
    /** A running or waiting job, and an orchestrator that will find it expired and wait before it finalizes it. */
    async function makeSlowOrchestrator() {
        const queue = await makeQueue()
        const [handler, chore] = [makeGate(), makeGate()]
        let hasSeen = false
        const pool = waitsBefore(makePool(), "-- cuckmq: finalize-jobs", () => {
            hasSeen = true
            return chore.opened
        })
        const config = new Config({ pool, schema: queue.schemaName })
        const job = define(queue.config, () => handler.opened, { numAttempts: 1 })
        /** Returns when it has found the job, with what lets it go on and waits until it has done its chores. */
        const findExpired = async () => {
            const setBack = `update ${queue.schema}.job set expires_at = clock_timestamp() - interval '1 min'`
            await queue.sql.query(setBack)
            const orchestrator = queue.orchestrator({ config, cleanIntervalMs: 10 })
            await eventually(() => hasSeen)
            orchestrator.stop()
            return async () => {
                chore.open()
                await orchestrator.join()
            }
        }
        return { queue, handler, job, findExpired }
    }

    function has(queue: Queue, eventType: string): boolean {
        return queue.events.some((event) => event.eventType === eventType)
    }

    it("does not time out a job that has succeeded since", async () => {
        const { queue, handler, job, findExpired } = await makeSlowOrchestrator()
        queue.worker()
        const id = await job.defer({ payload: {} })
        await eventually(() => has(queue, "worker-job-dequeue"))
        const goOn = await findExpired()
        handler.open()
        const row = await finalizedJob(queue, id)
        await goOn()
        expect(row).toMatchObject({ outcome: "succeeded", attempt: 1 })
        expect(await queue.history()).toEqual([row])
        expect(await queue.jobs()).toEqual([])
        expect(has(queue, "orchestrator-job-finalize-failure-timeout")).toBe(false)
    })

    it("does not end a job that a worker has claimed since", async () => {
        const { queue, handler, job, findExpired } = await makeSlowOrchestrator()
        const id = await job.defer({ payload: {} })
        const goOn = await findExpired()
        await queue.sql.query(
            `update ${queue.schema}.job set expires_at = clock_timestamp() + interval '1 hour'`,
        )
        queue.worker()
        await eventually(() => has(queue, "worker-job-dequeue"))
        await goOn()
        expect(await queue.jobs()).toMatchObject([{ state: "running", token: 1 }])
        expect(has(queue, "orchestrator-job-finalize-failure-timeout")).toBe(false)
        handler.open()
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded", attempt: 1, token: 1 })
    })
})
