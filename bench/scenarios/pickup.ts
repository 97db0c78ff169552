import { percentile } from "../measure.ts"
import { EVERY_PEER } from "../peers/index.ts"
import { payloadOf } from "../peers/peer.ts"
import { type Scenario, sleep, until } from "./scenario.ts"

/** How soon an idle worker in another process starts a job. */
export const pickup: Scenario = {
    title: "Pickup by an idle worker",
    about:
        "One process enqueues a job, a worker in another process that has nothing to do starts it; 150 times, with " +
        "pauses of 10 to 20 ms. Counted from the call that enqueues to the first line of the handler.",
    goal: "latency",
    peers: EVERY_PEER.filter((id) => id !== "bare" && id !== "cuckmq-fast"),
    async sample({ peer, startWorker, isSmall }) {
        const count = isSmall ? 30 : 150
        const worker = await startWorker()
        await worker.begin()
        // Until it has looked around once, and both processes have run what they run.
        await peer.enqueueOne(payloadOf(100))
        await until(() => worker.numJobs >= 1, 5_000)
        const endMs = performance.now() + (isSmall ? 1_000 : 5_000)
        for (let n = 0; n < count && performance.now() < endMs; n++) {
            await peer.enqueueOne(payloadOf(100, { sentNanos: String(process.hrtime.bigint()) }))
            await until(() => worker.numJobs >= n + 2, endMs - performance.now())
            await sleep(10 + Math.random() * 10)
        }
        const { latenciesMs } = await worker.end()
        return { pickup: { p50Ms: percentile(latenciesMs, 50), p99Ms: percentile(latenciesMs, 99) } }
    },
}
