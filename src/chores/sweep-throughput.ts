import { shrinking } from "../db/shrinking.ts"
import { deleteThroughput, mergeThroughput } from "../statements/sweep-throughput.ts"
import { HOURS_KEPT_MS, MINUTES_KEPT_MS } from "../statements/throughput-rows.ts"
import type { Chore } from "./chore.ts"

/** Rows merged or deleted in one statement. */
const CHUNK = 1_000

/** Makes hours of the minutes that are older than a day, and forgets hours after a month. */
export function sweepThroughput(cleanIntervalMs: number): Chore {
    return {
        name: "sweep throughput",
        run: async ({ core: { run, schema } }) => {
            await untilDone((limit) => mergeThroughput({ run, schema, keepMs: MINUTES_KEPT_MS, limit }))
            await untilDone((limit) => deleteThroughput({ run, schema, keepMs: HOURS_KEPT_MS, limit }))
            return cleanIntervalMs
        },
    }
}

/** Does a step as often as it finds as much to do as it may. */
async function untilDone(step: (limit: number) => Promise<number>): Promise<void> {
    const inTime = shrinking(CHUNK)
    let isDone = false
    while (!isDone) {
        await inTime(async (limit) => {
            isDone = (await step(limit)) < limit
        })
    }
}
