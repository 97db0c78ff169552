import { TUNED_PEERS } from "../peers/index.ts"
import { payloadOf } from "../peers/peer.ts"
import { fill, type Scenario, until } from "./scenario.ts"

const MAX_MS = 4_000

/** What runs often is compiled in each process anew, so four that have just begun would be compared with one that has run long. */
const NUM_TO_WARM_UP = 15_000
const MAX_WARM_UP_MS = 8_000

/** Whether more worker processes on one queue get in each other's way. */
export const processes: Scenario = {
    title: "Four worker processes",
    about:
        "The same drain by one and by four worker processes beside the process that enqueued, all started before " +
        "the clock, after a drain of 15,000 jobs for each to warm up: what runs often is compiled in each process anew. On two " +
        "cores four processes cannot be faster; they should not be slower.",
    usualSeconds: 71,
    goal: "rate",
    peers: ["cuckmq", ...TUNED_PEERS.filter((id) => id !== "bullmq-postgres-fast")],
    cases: ["1 process", "4 processes"],
    async sample({ peer, meter, isSmall, admin, caseName, startWorker }) {
        const count = isSmall ? 5_000 : 60_000
        const numWorkers = Number.parseInt(caseName, 10)
        const workers = await Promise.all(Array.from({ length: numWorkers }, startWorker))
        const drain = async (numJobs: number, maxMs: number) => {
            await fill({ peer, count: numJobs, size: 5_000, payload: (n) => payloadOf(100, { n }) })
            await admin.query("checkpoint")
            await meter.start()
            await Promise.all(workers.map((worker) => worker.begin()))
            const numDone = () => workers.reduce((sum, worker) => sum + worker.numJobs, 0)
            await until(async () => numDone() >= numJobs && (await peer.numUnfinished()) === 0, maxMs)
            return numDone()
        }
        await drain(isSmall ? count : numWorkers * NUM_TO_WARM_UP, MAX_WARM_UP_MS)
        await Promise.all(workers.map((worker) => worker.rest()))
        const numJobs = await drain(count, MAX_MS)
        const { peakMb: _, ...metrics } = await meter.stop(numJobs || 1)
        const reports = await Promise.all(workers.map((worker) => worker.end()))
        const micros = reports.reduce((sum, report) => sum + report.processMicros, 0)
        return { [caseName]: { ...metrics, processMicros: micros / Math.max(1, numJobs) } }
    },
}
