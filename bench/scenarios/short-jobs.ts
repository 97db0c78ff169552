import { TUNED_PEERS } from "../peers/index.ts"
import { payloadOf } from "../peers/peer.ts"
import { warmUp } from "./drain.ts"
import { fill, type Scenario, sleep, until } from "./scenario.ts"

const MAX_MS = 3_000

const CONCURRENCIES: Readonly<Record<string, number>> = { "concurrency 64": 64, "concurrency 256": 256 }

/** Jobs that wait for a millisecond, as calls to other services do. */
export const shortJobs: Scenario = {
    title: "Jobs of one millisecond",
    about:
        "Jobs that sleep for 1 ms, at a concurrency of 64 and of 256: the ideal is 64,000 and 256,000 a second, less " +
        "the slack of Node's timers, whatever the queue costs. After 5,000 jobs to warm up. Every system has the concurrency that is named.",
    usualSeconds: 53,
    goal: "rate",
    peers: ["cuckmq", ...TUNED_PEERS],
    cases: Object.keys(CONCURRENCIES),
    async sample({ peer, meter, isSmall, admin, caseName }) {
        const count = isSmall ? 2_000 : 40_000
        if (!isSmall) await warmUp(peer, 5_000)
        await fill({ peer, count, size: 5_000, payload: (n) => payloadOf(100, { n }) })
        await admin.query("checkpoint")
        let numJobs = 0
        await meter.start()
        await peer.work(async () => {
            await sleep(1)
            numJobs++
        }, CONCURRENCIES[caseName])
        await until(async () => numJobs >= count && (await peer.numUnfinished()) === 0, MAX_MS)
        return { [caseName]: await meter.stop(numJobs || 1) }
    },
}
