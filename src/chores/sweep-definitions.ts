import { deleteDefinitions, retireDefinitions } from "../statements/definitions.ts"
import type { Chore } from "./chore.ts"

/** A retired definition outlives the history of its jobs by this factor, so that history can name them. */
const KEEP_FACTOR = 2

/** Retires definitions that no daemon vouches for and that have no live jobs; deletes them when history is gone too. */
export function sweepDefinitions(params: {
    cleanIntervalMs: number
    staleThresholdMs: number
    historyThresholdMs: number
}): Chore {
    const { cleanIntervalMs, staleThresholdMs, historyThresholdMs } = params
    return {
        name: "sweep definitions",
        run: async ({ core, emit }) => {
            const { run, schema } = core
            for (const jobName of await retireDefinitions({ run, schema, thresholdMs: staleThresholdMs })) {
                emit({ eventType: "orchestrator-stale-job-definition-sweep", jobName })
            }
            await deleteDefinitions({ run, schema, keepMs: historyThresholdMs * KEEP_FACTOR })
            return cleanIntervalMs
        },
    }
}
