import type { Metrics } from "../measure.ts"
import { EVERY_PEER, entryOf } from "../peers/index.ts"
import { type Peer, payloadOf } from "../peers/peer.ts"
import { type Bench, fill, type Scenario, until } from "./scenario.ts"

/** A system that has not finished by then is measured by what it did. */
const MAX_MS = 5_000

/** What a system has not done of its warm-up by then is left to the measurement. */
const WARM_UP_MS = 3_000

/** With default settings the rivals would take minutes for all of them. */
const SHORT = { numJobs: 20_000, maxMs: 2_000 }

/** How fast one process empties a queue of jobs that do nothing, until every one of them is on record as done. */
export const drain: Scenario = {
    title: "Drain of 100,000 jobs",
    about:
        "100,000 jobs of 100 bytes that do nothing, one worker process, from the worker's start until all are " +
        `recorded as done, after a drain of 20,000 to warm up. What takes longer than ${MAX_MS / 1_000} s is stopped and rated by the jobs it ran; rivals with default ` +
        `settings have 20,000 jobs and ${SHORT.maxMs / 1_000} s. cuckmq, bare SQL, pg-boss and BullMQ with default ` +
        "settings keep finished jobs; graphile-worker and BullMQ, tuned, delete them.",
    usualSeconds: 78,
    goal: "rate",
    peers: EVERY_PEER,
    async sample(bench) {
        const { mode, family } = entryOf(bench.peerID)
        const isShort = mode === "default" && family !== "cuckmq" && family !== "bare"
        const { numJobs, maxMs } = isShort ? SHORT : { numJobs: 100_000, maxMs: MAX_MS }
        return {
            drain: await drainOf(bench, { count: bench.isSmall ? 5_000 : numJobs, maxMs, isFast: !isShort }),
        }
    },
}

/** Fills the queue, starts a worker, and measures until the queue is empty or the time is up. */
export async function drainOf(
    bench: Bench,
    { count, maxMs, isFast = true }: { count: number; maxMs: number; isFast?: boolean },
): Promise<Metrics> {
    const { peer, meter } = bench
    if (isFast) await warmUp(peer)
    await fill({ peer, count, size: 5_000, payload: (n) => payloadOf(100, { n }) })
    await bench.admin.query("checkpoint")
    let numJobs = 0
    await meter.start()
    await peer.work(() => {
        numJobs++
    })
    await until(async () => numJobs >= count && (await peer.numUnfinished()) === 0, maxMs)
    return meter.stop(Math.min(numJobs, count) || 1)
}

/** A process that has run for a while is faster than one that has just started, and matters more. */
export async function warmUp(peer: Peer, count = 20_000): Promise<void> {
    let numJobs = 0
    await fill({ peer, count, size: 5_000, payload: (n) => payloadOf(100, { n }) })
    await peer.work(() => {
        numJobs++
    })
    await until(async () => numJobs >= count && (await peer.numUnfinished()) === 0, WARM_UP_MS)
    await peer.rest()
}
