import type { Core } from "./config.ts"
import { deleteLeases, reclaimJobs, revokeLeases } from "./statements/leases.ts"

/** Jobs taken back in one statement. */
const MAX_JOBS = 1_000

/** Takes back the jobs of workers that went silent, so that others can claim them. Needs no orchestrator. */
export async function reclaimLapsed(core: Core): Promise<void> {
    const { run, schema } = core
    await revokeLeases({ run, schema })
    let numReclaimed = 0
    for (;;) {
        const ids = await reclaimJobs({ run, schema, limit: MAX_JOBS })
        numReclaimed += ids.length
        if (ids.length < MAX_JOBS) break
    }
    await deleteLeases({ run, schema })
    if (numReclaimed > 0) core.hints.announce("ready")
}
