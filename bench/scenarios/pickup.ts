import { percentile } from "../measure.ts"
import { EVERY_PEER } from "../peers/index.ts"
import { type Payload, payloadOf } from "../peers/peer.ts"
import { type Scenario, sleep, until } from "./scenario.ts"

/** The first jobs of two processes that have just begun take longer, and the p99 of 150 is the second-slowest. */
const NUM_TO_WARM_UP = 20

/** How soon an idle worker in another process starts a job. */
export const pickup: Scenario = {
    title: "Pickup by an idle worker",
    about:
        "One process enqueues a job, a worker in another process that has nothing to do starts it; 150 times after 20 to " +
        "warm up, with pauses of 10 to 20 ms. Counted from the call that enqueues to the first line of the handler.",
    usualSeconds: 44,
    goal: "latency",
    peers: EVERY_PEER.filter((id) => id !== "bare" && id !== "cuckmq-fast"),
    async sample({ peer, startWorker, isSmall }) {
        const worker = await startWorker()
        await worker.begin()
        // Until it has looked around once.
        await peer.enqueueOne(payloadOf(100))
        await until(() => worker.numJobs >= 1, 5_000)
        let numSent = 1
        const sendUntil = async (count: number, ms: number, makePayload: () => Payload) => {
            const endMs = performance.now() + ms
            for (let n = 0; n < count && performance.now() < endMs; n++) {
                await peer.enqueueOne(makePayload())
                numSent++
                await until(() => worker.numJobs >= numSent, endMs - performance.now())
                await sleep(10 + Math.random() * 10)
            }
        }
        await sendUntil(NUM_TO_WARM_UP, 1_000, () => payloadOf(100))
        await sendUntil(isSmall ? 30 : 150, isSmall ? 1_000 : 5_000, () =>
            payloadOf(100, { sentNanos: String(process.hrtime.bigint()) }),
        )
        const { latenciesMs } = await worker.end()
        return { pickup: { p50Ms: percentile(latenciesMs, 50), p99Ms: percentile(latenciesMs, 99) } }
    },
}
