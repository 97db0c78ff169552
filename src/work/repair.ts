import type { Core } from "../config.ts"
import type { Event } from "../events.ts"
import { finalizeDoomed, finalizeFailed } from "../finalize.ts"
import { selectOrphanedJobs } from "../statements/select-doomed-jobs.ts"

/** Jobs finalized as orphans in one statement. */
const MAX_JOBS = 1_000

/** Finalizes jobs that cannot run any more, on a worker's watch. */
export function finalizeDoomedForWorker(core: Core, emit: (event: Event) => void): Promise<void> {
    return finalizeDoomed({
        core,
        onFinalized: (job, reason) => {
            emit({ eventType: "worker-job-finalize-failure", jobID: job.id, jobName: job.name, reason })
        },
    })
}

/** Finalizes the channel's ready jobs whose definition no daemon has vouched for within the grace. */
export async function finalizeOrphans(params: {
    core: Core
    channel: string
    knownIDs: readonly number[]
    graceMs: number
    emit: (event: Event) => void
}): Promise<void> {
    const { core, channel, knownIDs, graceMs, emit } = params
    const { run, schema } = core
    for (;;) {
        const jobs = await selectOrphanedJobs({ run, schema, channel, knownIDs, graceMs, limit: MAX_JOBS })
        if (jobs.length === 0) return
        const numLocked = await finalizeFailed({
            core,
            jobs,
            reason: "orphaned",
            onFinalized: (job) => {
                emit({ eventType: "worker-job-finalize-failure-orphaned", jobID: job.id, jobName: job.name })
            },
        })
        if (numLocked > 0) return
    }
}
