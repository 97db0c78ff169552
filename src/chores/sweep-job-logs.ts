import type { Core } from "../config.ts"
import { shrinking } from "../db/shrinking.ts"
import { SAID_TABLES, type SaidTable, sweepJobLogs as sweep } from "../statements/sweep-job-logs.ts"
import type { Chore } from "./chore.ts"

/** Jobs looked up in one statement. */
const CHUNK = 1_000

/** Statements of one turn, so that other chores have theirs: the next one goes on where this one ended. */
const MAX_CHUNKS = 50

/** When there is more to look at, the next turn is no later than this. */
const MORE_MS = 5_000

/** Removes what jobs have logged that are neither live nor in history any more. */
export function sweepJobLogs(cleanIntervalMs: number): Chore {
    const places = new Map<SaidTable, number>()
    return {
        name: "sweep job logs",
        run: async ({ core }) => {
            let isMore = false
            for (const table of SAID_TABLES) {
                const place = await sweepFrom(core, table, places.get(table) ?? 0)
                places.set(table, place)
                isMore ||= place > 0
            }
            return isMore ? Math.min(MORE_MS, cleanIntervalMs) : cleanIntervalMs
        },
    }
}

/** Looks at the jobs of a table after one. Returns where to go on, or zero from the end. */
async function sweepFrom({ run, schema }: Core, table: SaidTable, from: number): Promise<number> {
    const inTime = shrinking(CHUNK)
    let after = from
    for (let numChunks = 0; numChunks < MAX_CHUNKS; numChunks++) {
        const last = await inTime((limit) => sweep({ run, schema, table, after, limit }))
        if (last === undefined) return 0
        after = last
    }
    return after
}
