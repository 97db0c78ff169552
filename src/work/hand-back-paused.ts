import type { Core } from "../config.ts"
import type { Outlook } from "../statements/look-around.ts"
import { selectPausedJobs } from "../statements/paused-keys.ts"
import type { RunPool } from "./run-pool.ts"

/**
 * Hands back what was claimed ahead and is paused now. Which keys a job has, the database knows: those of its lane,
 * whatever a key function would say today.
 */
export async function handBackPaused(params: { core: Core; pool: RunPool; outlook: Outlook }): Promise<void> {
    const { core, pool, outlook } = params
    const pausedIDs = new Set(outlook.pausedIDs)
    for (const run of pool.takeAhead(({ job }) => pausedIDs.has(job.definitionID))) run.giveBack()
    const ids = outlook.hasPausedKeys ? pool.ahead.map(({ job }) => job.id) : []
    if (ids.length === 0) return
    const { run, schema } = core
    const paused = await selectPausedJobs({ run, schema, ids })
    // Some may have started meanwhile.
    for (const ahead of pool.takeAhead(({ job }) => paused.has(job.id))) ahead.giveBack()
}
