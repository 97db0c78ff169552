import { describe, expect, it } from "vitest"
import { JobDefinition } from "../../src/index.ts"
import { spawnWorker } from "../support/child-worker.ts"
import { define } from "../support/define.ts"
import { finalized, rowID } from "../support/finalized.ts"
import { eventually, hasServer, makeQueue } from "../support/with-schema.ts"

describe.skipIf(!hasServer())("a worker that crashes", () => {
    it("leaves its job to another worker, without an orchestrator, with the crash on record", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => "survived", { numAttempts: 2, lockIntervalMs: 400 })
        const jobID = await job.defer({ payload: {} })
        const child = spawnWorker(queue, "hang")
        await eventually(() => child.attempts.length > 0)
        child.process.kill("SIGKILL")
        await child.ended
        expect(await queue.jobs()).toMatchObject([{ state: "running", attempt: 1 }])
        queue.worker({ name: "survivor" })
        const [row] = await finalized(queue, 1)
        expect(row).toMatchObject({
            id: rowID(jobID),
            outcome: "succeeded",
            result: "survived",
            attempt: 2,
            worker: "survivor",
            errors: [{ attempt: 1, name: "LeaseLostError", worker: "child" }],
        })
    })

    it("again and again on one job fails it after exactly 1 + numAttempts runs", async () => {
        const queue = await makeQueue()
        // Not registered here: no worker but the children knows the job.
        const job = new JobDefinition({
            config: queue.config,
            name: "job",
            numAttempts: 2,
            lockIntervalMs: 400,
            jobFunction: () => undefined,
        })
        const jobID = await job.defer({ payload: {} })
        const attempts: number[] = []
        const supervisor = (async () => {
            for (let numStarts = 0; numStarts < 3; numStarts++) {
                const child = spawnWorker(queue, "abort")
                await child.ended
                attempts.push(...child.attempts)
            }
        })()
        await supervisor
        queue.worker()
        const [row] = await finalized(queue, 1)
        expect(attempts).toEqual([1, 2, 3])
        expect(row).toMatchObject({
            id: rowID(jobID),
            outcome: "failed",
            reason: "no-attempts-remaining",
            attempt: 3,
        })
        expect(row?.errors).toMatchObject([{ attempt: 1 }, { attempt: 2 }, { attempt: 3 }])
        // The worker tells after it has written.
        await expect
            .poll(() => queue.events)
            .toContainEqual({
                eventType: "worker-job-finalize-failure",
                jobID,
                jobName: "job",
                reason: "no-attempts-remaining",
            })
        expect(await queue.jobs()).toEqual([])
    })

    it("on its last attempt has its job finalized by the orchestrator when no worker is left", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined, { numAttempts: 2, lockIntervalMs: 400 })
        const jobID = await job.defer({ payload: {} })
        await queue.sql.query(`update ${queue.schema}.job set attempt = 2`)
        const child = spawnWorker(queue, "hang")
        await eventually(() => child.attempts.length > 0)
        child.process.kill("SIGKILL")
        await child.ended
        queue.orchestrator()
        const [row] = await finalized(queue, 1)
        expect(row).toMatchObject({ outcome: "failed", reason: "no-attempts-remaining", attempt: 3 })
        const told = () => queue.events.filter(({ eventType }) => /no-attempts-remaining$/.test(eventType))
        await eventually(() => told().length > 0)
        expect(told()).toEqual([
            {
                eventType: "orchestrator-job-finalize-failure-no-attempts-remaining",
                jobID,
                jobName: "job",
            },
        ])
    })
})
