/** The program of a worker process: connects, begins when told, counts its jobs, and tells what it did at the end. */
import { ownMicros } from "./measure.ts"
import { makePeer } from "./peers/index.ts"
import type { Payload } from "./peers/peer.ts"
import type { WorkerReport, WorkerTask } from "./worker-process.ts"

/** How often the count is told. */
const REPORT_MS = 10

const { peerID, options } = JSON.parse(process.argv[2] ?? "") as WorkerTask
const peer = await makePeer(peerID, options)
const latenciesMs: number[] = []
let numJobs = 0
let toldJobs = 0
let startMicros = 0

// Whoever started us is gone: there is no one to work for.
process.once("disconnect", () => process.exit())

function tell(report: WorkerReport): void {
    process.send?.(report)
}

/** A job that carries the instant at which it was enqueued tells how long it took to get here. */
function handle(payload: Payload): void {
    numJobs++
    if ("sentNanos" in payload) {
        latenciesMs.push(Number(process.hrtime.bigint() - BigInt(payload.sentNanos as string)) / 1e6)
    }
}

function tellCount(): void {
    if (numJobs === toldJobs) return
    toldJobs = numJobs
    tell({ kind: "count", numJobs })
}

process.on("message", async (message) => {
    if (message === "begin") {
        numJobs = toldJobs = 0
        startMicros = ownMicros()
        await peer.work(handle)
        tell({ kind: "working" })
    } else if (message === "rest") {
        await peer.rest()
        tell({ kind: "resting" })
    } else {
        const report = { kind: "ended", numJobs, processMicros: ownMicros() - startMicros, latenciesMs }
        // The schema goes next, so there is nothing to leave in order.
        process.send?.(report, () => process.exit())
    }
})

setInterval(tellCount, REPORT_MS)
await peer.connect()
tell({ kind: "connected" })
