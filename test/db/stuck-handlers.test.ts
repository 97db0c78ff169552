import { expect, it } from "vitest"
import { aborted, define } from "../support/define.ts"
import { finalizedJobs } from "../support/finalized.ts"
import { eventually, makeQueue } from "../support/with-schema.ts"

const CONCURRENCY = 4
const NUM_STUCK = 50

it("handlers that never settle hold their slots until the deadlines of their jobs, and no longer", async () => {
    const queue = await makeQueue()
    let [numInFlight, maxInFlight, numStuck] = [0, 0, 0]
    const begin = () => {
        numInFlight++
        maxInFlight = Math.max(maxInFlight, numInFlight)
    }
    const stuck = define(
        queue.config,
        async (_payload, { signal }) => {
            begin()
            numStuck++
            void aborted(signal).then(() => numInFlight--)
            await new Promise(() => undefined)
        },
        { name: "stuck", timeoutIntervalMs: 400, numAttempts: 3 },
    )
    const quick = define(
        queue.config,
        async () => {
            begin()
            await new Promise(setImmediate)
            numInFlight--
        },
        { name: "quick" },
    )
    queue.worker({ concurrency: CONCURRENCY })
    const ids: number[] = []
    // A job's deadline counts from when it is due, so no more of them are deferred than can run.
    while (ids.length < NUM_STUCK) {
        const some = Array.from({ length: Math.min(CONCURRENCY, NUM_STUCK - ids.length) }, () => ({
            payload: {},
        }))
        const deferred = await stuck.deferMany(some)
        ids.push(...deferred)
        const rows = await finalizedJobs(queue, deferred)
        expect(rows.filter(({ outcome, reason }) => outcome !== "failed" || reason !== "timeout")).toEqual([])
    }
    expect(numStuck).toBeGreaterThan(CONCURRENCY)
    const quickIDs = await quick.deferMany(Array.from({ length: 200 }, () => ({ payload: {} })))
    const rows = await finalizedJobs(queue, quickIDs)
    expect(rows.filter(({ outcome, attempt }) => outcome !== "succeeded" || attempt !== 1)).toEqual([])
    await eventually(() => numInFlight === 0)
    expect(maxInFlight).toBe(CONCURRENCY)
}, 60_000)
