import type { Event } from "../events.ts"
import { type DoomedReason, finalizeDoomed } from "../finalize.ts"
import { reclaimLapsed } from "../recover.ts"
import type { Chore } from "./chore.ts"

/** Workers do the same as soon as they notice; this is for when none is there. */
const EVERY_MS = 2_000

const EVENT_TYPES = {
    "unmet-dependencies": "orchestrator-job-finalize-failure-unmet-dependencies",
    "no-attempts-remaining": "orchestrator-job-finalize-failure-no-attempts-remaining",
    cancelled: "orchestrator-job-finalize-failure-cancelled",
} as const satisfies Record<DoomedReason, Event["eventType"]>

/** Takes back the jobs of workers that went silent, and finalizes those that cannot run any more. */
export function recoverJobs(): Chore {
    return {
        name: "recover jobs",
        run: async ({ core, emit }) => {
            await reclaimLapsed(core)
            await finalizeDoomed({
                core,
                onFinalized: (job, reason) =>
                    emit({ eventType: EVENT_TYPES[reason], jobID: job.id, jobName: job.name }),
            })
            return EVERY_MS
        },
    }
}
