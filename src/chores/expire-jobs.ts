import { shrinking } from "../db/shrinking.ts"
import { finalizeFailed } from "../finalize.ts"
import { selectExpiredJobs } from "../statements/select-doomed-jobs.ts"
import type { Chore } from "./chore.ts"

/** Live jobs looked through in one statement. */
const CHUNK = 10_000

/** Finalizes jobs that exist for longer than their definition's `timeoutIntervalMs`, a chunk at a time. */
export function expireJobs(cleanIntervalMs: number): Chore {
    return {
        name: "expire jobs",
        run: async ({ core, emit }) => {
            const { run, schema } = core
            const inTime = shrinking(CHUNK)
            let afterID = 0
            for (;;) {
                const { expired, lastID } = await inTime((limit) =>
                    selectExpiredJobs({ run, schema, afterID, limit }),
                )
                if (expired.length > 0) {
                    await finalizeFailed({
                        core,
                        jobs: expired,
                        reason: "timeout",
                        onFinalized: (job) => {
                            emit({
                                eventType: "orchestrator-job-finalize-failure-timeout",
                                jobID: job.id,
                                jobName: job.name,
                            })
                        },
                    })
                }
                if (lastID === null) return cleanIntervalMs
                afterID = lastID
            }
        },
    }
}
