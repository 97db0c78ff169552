import type { Rows } from "../measure.ts"
import { EVERY_PEER } from "../peers/index.ts"
import { type Peer, payloadOf } from "../peers/peer.ts"
import type { Scenario } from "./scenario.ts"

/** How fast concurrent callers store one job each, again and again; each waits until its job is stored. */
export const callers: Scenario = {
    title: "Concurrent callers of defer",
    about:
        "1, 20 and 200 loops in one process, each of which enqueues one job and waits until it is stored. Bare SQL " +
        "inserts as many rows in a statement as there are callers.",
    usualSeconds: 40,
    goal: "rate",
    peers: EVERY_PEER.filter((id) => id === "cuckmq" || !id.startsWith("cuckmq")),
    async sample({ peer, meter, isSmall }) {
        const rows: Rows = {}
        for (const numCallers of [1, 20, 200]) {
            await enqueueFor(peer, numCallers, isSmall ? 50 : 250)
            await meter.start()
            const numJobs = await enqueueFor(peer, numCallers, isSmall ? 200 : 800)
            rows[`${numCallers} ${numCallers === 1 ? "caller" : "callers"}`] = await meter.stop(numJobs)
        }
        return rows
    },
}

async function enqueueFor(peer: Peer, numCallers: number, ms: number): Promise<number> {
    const payload = payloadOf(100)
    if (peer.enqueueTogether !== undefined) return peer.enqueueTogether(numCallers, payload, ms)
    const endMs = performance.now() + ms
    let numJobs = 0
    const call = async () => {
        for (; performance.now() < endMs; numJobs++) await peer.enqueueOne(payload)
    }
    await Promise.all(Array.from({ length: numCallers }, call))
    return numJobs
}
