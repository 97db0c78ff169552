import { TUNED_PEERS } from "../peers/index.ts"
import { payloadOf } from "../peers/peer.ts"
import { fill, type Scenario } from "./scenario.ts"

const CALL_SIZE = 5_000

/** How fast one process stores jobs when it has them all at hand. */
export const bulkEnqueue: Scenario = {
    title: "Bulk enqueue",
    about:
        "100,000 jobs of 100 bytes from one process, 5,000 in a call, one call after another. The rivals' " +
        "default settings are the same here but for the size of their pools.",
    usualSeconds: 38,
    goal: "rate",
    peers: ["bare", "cuckmq", ...TUNED_PEERS],
    async sample({ peer, meter, isSmall }) {
        const count = isSmall ? 10_000 : 100_000
        const payload = (n: number) => payloadOf(100, { n })
        await fill({ peer, count: CALL_SIZE, size: 500, payload })
        await meter.start()
        await fill({ peer, count, size: CALL_SIZE, payload })
        return { "bulk enqueue": await meter.stop(count) }
    },
}
