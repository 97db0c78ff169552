import { drainOf } from "./drain.ts"
import type { Scenario } from "./scenario.ts"

const MAX_MS = 60_000

/** Whether a long queue is slower to work on than a short one. */
export const backlog: Scenario = {
    title: "A backlog of 1,000,000 jobs",
    about:
        "The drain of 1,000,000 jobs beside the drain of 100,000. Only our own: the rivals would take many minutes " +
        "to enqueue as many.",
    usualSeconds: 47,
    goal: "rate",
    peers: ["cuckmq"],
    cases: ["100,000 jobs", "1,000,000 jobs"],
    timeoutMs: 120_000,
    async sample(bench) {
        const full = bench.caseName.startsWith("1,") ? 1_000_000 : 100_000
        return {
            [bench.caseName]: await drainOf(bench, {
                count: bench.isSmall ? full / 100 : full,
                maxMs: MAX_MS,
            }),
        }
    },
}
