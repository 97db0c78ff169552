import type { Core } from "./core.ts"
import { shrinking } from "./db/shrinking.ts"
import { deleteLeases, reclaimJobs, revokeLeases } from "./statements/leases.ts"

/** Jobs taken back in one statement. */
const MAX_JOBS = 1_000

/** Takes back the jobs of workers that went silent, so that others can claim them. Needs no orchestrator. */
export async function reclaimLapsed(core: Core): Promise<void> {
    const { run, schema } = core
    await revokeLeases({ run, schema })
    const inTime = shrinking(MAX_JOBS)
    let numReclaimed = 0
    let isDone = false
    while (!isDone) {
        await inTime(async (limit) => {
            const ids = await reclaimJobs({ run, schema, limit })
            numReclaimed += ids.length
            isDone = ids.length < limit
        })
    }
    await deleteLeases({ run, schema })
    if (numReclaimed > 0) core.hints.announce("ready")
}
