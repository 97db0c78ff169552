import { describe, expect, it } from "vitest"
import { define } from "../support/define.ts"
import { finalized } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { startToldWorker, type ToldWorker } from "../support/told-worker.ts"
import { eventually, hasServer, makeQueue } from "../support/with-schema.ts"

const LEASE_MS = 400

function numOf(worker: ToldWorker, eventType: string): number {
    return worker.events().filter((event) => event.eventType === eventType).length
}

describe.skipIf(!hasServer())("a worker whose process was frozen for two leases", () => {
    it.each([
        ["returns", "return"],
        ["throws, with attempts left", "throw"],
        ["is stopped by force", "stop"],
    ])(
        "and %s when it goes on changes nothing about the job that another worker runs",
        async (_what, order) => {
            const queue = await makeQueue()
            const current = makeGate()
            const job = define(
                queue.config,
                async () => {
                    await current.opened
                    return "current"
                },
                { numAttempts: 5, lockIntervalMs: 60_000 },
            )
            const frozen = startToldWorker(queue, { lockIntervalMs: LEASE_MS })
            const jobID = await job.defer({ payload: {} })
            await eventually(() => numOf(frozen, "worker-job-dequeue") === 1)
            frozen.signal("SIGSTOP")
            const isLongAgo = `select clock_timestamp() - claimed_at > interval '${2 * LEASE_MS} ms' as yes from ${queue.schema}.job`
            await eventually(async () => (await queue.sql.query(isLongAgo)).rows[0]?.yes === true)
            queue.worker({ name: "current" })
            const claimed = await eventually(async () => {
                const jobs = await queue.jobs()
                return jobs[0]?.token === 2 && jobs
            })

            // It finds the order when it goes on, together with everything else that it has missed.
            frozen.write(`${order}\n`)
            frozen.signal("SIGCONT")
            await eventually(() => numOf(frozen, "worker-job-lease-lost") > 0)
            if (order !== "stop") frozen.write("stop\n")
            await eventually(() => numOf(frozen, "daemon-stop") === 1)

            expect(await queue.jobs()).toEqual(claimed)
            expect(await queue.history()).toEqual([])
            expect(frozen.events()).toContainEqual({
                eventType: "worker-job-lease-lost",
                jobID,
                jobName: "job",
                attempt: 1,
            })
            expect(numOf(frozen, "worker-job-lease-lost")).toBe(1)
            expect(numOf(frozen, "worker-job-finalize-success")).toBe(0)
            expect(numOf(frozen, "worker-job-return")).toBe(0)

            current.open()
            await finalized(queue, 1)
            expect(await queue.history()).toMatchObject([
                { outcome: "succeeded", result: "current", token: 2, attempt: 2, worker: "current" },
            ])
            expect(await queue.jobs()).toEqual([])
        },
    )
})
