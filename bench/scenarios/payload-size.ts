import { TUNED_PEERS } from "../peers/index.ts"
import { payloadOf } from "../peers/peer.ts"
import { fill, type Scenario, until } from "./scenario.ts"

const MAX_MS = 4_000

const SIZES: Readonly<Record<string, number>> = { "100 bytes": 100, "10 kilobytes": 10_240 }

/** What the size of the payload costs over the whole life of a job. */
export const payloadSize: Scenario = {
    title: "Payloads of 100 bytes and of 10 kilobytes",
    about:
        "10,000 jobs are enqueued, 500 in a call, and then run by one process. Time, CPU and WAL are those of the " +
        "whole life of the jobs.",
    usualSeconds: 34,
    goal: "rate",
    peers: ["cuckmq", ...TUNED_PEERS],
    cases: Object.keys(SIZES),
    async sample({ peer, meter, isSmall, caseName }) {
        const count = isSmall ? 1_000 : 10_000
        const payload = payloadOf(SIZES[caseName] ?? 0)
        let numJobs = 0
        await meter.start()
        await fill({ peer, count, size: 500, payload: () => payload })
        await peer.work(() => {
            numJobs++
        })
        await until(async () => numJobs >= count && (await peer.numUnfinished()) === 0, MAX_MS)
        return { [caseName]: await meter.stop(numJobs || 1) }
    },
}
