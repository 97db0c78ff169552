import { describe, expect, it } from "vitest"
import { Config } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalizedJob } from "../support/finalized.ts"
import { refusesNext } from "../support/flaky-pool.ts"
import { hasServer, makePool, makeQueue } from "../support/with-schema.ts"

describe.skipIf(!hasServer())("a success that the database does not take down", () => {
    it.each([
        { fault: "its session is ended", sqlState: "57P01", num: 6 },
        { fault: "its transactions cannot be serialized", sqlState: "40001", num: 22 },
        { fault: "it is the victim of deadlocks", sqlState: "40P01", num: 22 },
        { fault: "its disk is full", sqlState: "53100", num: 6 },
        { fault: "it is read only", sqlState: "25006", num: 6 },
    ])("because $fault, $num times, stays a success", async ({ sqlState, num }) => {
        const queue = await makeQueue()
        const pool = refusesNext(makePool(), { part: "-- cuckmq: finalize-jobs", num, sqlState })
        const config = new Config({ pool, schema: queue.schemaName })
        let numRuns = 0
        const job = define(config, () => ++numRuns, { numAttempts: 3 })
        queue.worker({ config })
        const id = await job.defer({ payload: {} })
        expect(await finalizedJob(queue, id)).toMatchObject({
            outcome: "succeeded",
            attempt: 1,
            token: 1,
            result: 1,
            errors: null,
        })
        expect(pool.numRefused).toBe(num)
        expect(numRuns).toBe(1)
        const types = queue.events.map(({ eventType }) => eventType)
        for (const wrong of ["worker-job-error", "worker-job-finalize-failure", "worker-job-lease-lost"])
            expect(types).not.toContain(wrong)
    })
})
