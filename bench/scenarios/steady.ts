import { percentile } from "../measure.ts"
import { TUNED_PEERS } from "../peers/index.ts"
import { payloadOf } from "../peers/peer.ts"
import { type Scenario, sleep, until } from "./scenario.ts"

const PER_MS = 2

/** How long jobs wait while they come in at a steady rate. */
export const steady: Scenario = {
    title: "Latency at 2,000 jobs a second",
    about:
        "One process enqueues 2,000 jobs a second, each on time whether or not the ones before are stored; a worker " +
        "in another process runs them. Counted from the instant at which a job was to be enqueued; seconds mean that " +
        "the system cannot keep up.",
    usualSeconds: 30,
    goal: "latency",
    peers: ["cuckmq", ...TUNED_PEERS],
    async sample({ peer, meter, startWorker, isSmall }) {
        const count = (isSmall ? 500 : 2_000) * PER_MS
        const worker = await startWorker()
        await worker.begin()
        await Promise.all(Array.from({ length: 20 }, () => peer.enqueueOne(payloadOf(100))))
        await until(() => worker.numJobs >= 20, 5_000)
        await meter.start()
        const startNanos = process.hrtime.bigint()
        const pending: Promise<void>[] = []
        let numRefused = 0
        // A system that cannot keep up refuses jobs in the end; its latency says how far it is behind.
        const refuse = () => {
            numRefused++
        }
        while (pending.length < count) {
            const dueJobs = Math.floor(Number(process.hrtime.bigint() - startNanos) / 1e6) * PER_MS
            while (pending.length < Math.min(count, dueJobs)) {
                const sentNanos = startNanos + BigInt(Math.round((pending.length / PER_MS) * 1e6))
                const payload = payloadOf(100, { sentNanos: String(sentNanos) })
                pending.push(peer.enqueueOne(payload).catch(refuse))
            }
            await sleep(1)
        }
        await Promise.all(pending)
        await until(() => worker.numJobs >= count + 20, 3_000)
        if (numRefused > 0) console.error(`    ${numRefused} of ${count} jobs were refused`)
        const metrics = await meter.stop(count)
        const { latenciesMs, processMicros } = await worker.end()
        return {
            "2,000 a second": {
                p50Ms: percentile(latenciesMs, 50),
                p99Ms: percentile(latenciesMs, 99),
                processMicros: (metrics.processMicros ?? 0) + processMicros / count,
                serverMicros: metrics.serverMicros ?? 0,
                walBytes: metrics.walBytes ?? 0,
            },
        }
    },
}
