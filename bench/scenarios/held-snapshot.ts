import pg from "pg"
import { median } from "../measure.ts"
import { TUNED_PEERS } from "../peers/index.ts"
import { payloadOf } from "../peers/peer.ts"
import { fill, type Scenario, until } from "./scenario.ts"

const NUM_ROUNDS = 50
const MAX_MS = 30_000
/** Single rounds are noise, so the first and the last few are compared. */
const COMPARED = 5

/** Whether remains that vacuum may not remove slow a queue down. */
export const heldSnapshot: Scenario = {
    title: "A snapshot held open",
    about:
        `While a transaction elsewhere holds its snapshot, so that vacuum can remove nothing: ${NUM_ROUNDS} rounds ` +
        "of 20,000 jobs enqueued and run by one process. The ratio is the median rate of the last five rounds to " +
        `that of the first five. A system that needs more than ${MAX_MS / 1_000} s is stopped and rated by the ` +
        "rounds it did.",
    usualSeconds: 91,
    goal: "rate",
    peers: ["cuckmq", ...TUNED_PEERS.filter((id) => !id.startsWith("bullmq"))],
    rounds: 1,
    timeoutMs: 120_000,
    async sample({ peer, meter, isSmall, options }) {
        const holder = new pg.Client({ connectionString: options.servers.connectionString })
        await holder.connect()
        await holder.query("begin isolation level repeatable read")
        await holder.query("select pg_current_xact_id(), count(*) from pg_class")
        const size = isSmall ? 1_000 : 20_000
        let numJobs = 0
        await peer.work(() => {
            numJobs++
        })
        const rates: number[] = []
        const endMs = performance.now() + (isSmall ? 5_000 : MAX_MS)
        await meter.start()
        while (rates.length < NUM_ROUNDS && performance.now() < endMs) {
            const wanted = (rates.length + 1) * size
            const startMs = performance.now()
            await fill({ peer, count: size, size: 5_000, payload: (n) => payloadOf(100, { n }) })
            await until(() => numJobs >= wanted, endMs - performance.now())
            rates.push((size * 1_000) / (performance.now() - startMs))
        }
        const metrics = await meter.stop(numJobs)
        await holder.query("rollback")
        await holder.end()
        const compared = Math.min(COMPARED, Math.ceil(rates.length / 2))
        const first = median(rates.slice(0, compared))
        const last = median(rates.slice(-compared))
        return {
            "first rounds": { jobsPerSecond: first },
            "last rounds": { ...metrics, jobsPerSecond: last, ratio: last / first, numRounds: rates.length },
        }
    },
}
