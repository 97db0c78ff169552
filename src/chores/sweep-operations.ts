import { shrinking } from "../db/shrinking.ts"
import { sweepOperations as sweep } from "../statements/sweep-operations.ts"
import type { Chore } from "./chore.ts"

/** For how long the audit log is kept. */
const KEEP_MS = 90 * 24 * 60 * 60_000

/** Operations looked at in one statement. */
const CHUNK = 1_000

/** Forgets what was done to the queue 90 days ago. */
export function sweepOperations(cleanIntervalMs: number): Chore {
    return {
        name: "sweep operations",
        run: async ({ core: { run, schema } }) => {
            const inTime = shrinking(CHUNK)
            let isDone = false
            while (!isDone) {
                await inTime(async (limit) => {
                    isDone = (await sweep({ run, schema, keepMs: KEEP_MS, limit })) < limit
                })
            }
            return cleanIntervalMs
        },
    }
}
