import { repeatJobs as insertRepeats, nextRepeatMs } from "../statements/repeat-jobs.ts"
import type { Chore } from "./chore.ts"

/** Defers the jobs of repeating definitions when their ticks come; sleeps until the next one. */
export function repeatJobs(repeatIntervalMs: number): Chore {
    return {
        name: "repeat jobs",
        run: async ({ core, emit }) => {
            const { run, schema, registry } = core
            const repeating = registry.jobs().filter((job) => job.repeatIntervalMs !== null)
            if (repeating.length === 0) return repeatIntervalMs
            const definitions = new Map<number, { name: string; channel: string }>()
            for (const job of repeating) definitions.set(await registry.idOf(job), job)
            const definitionIDs = [...definitions.keys()]
            for (const { jobID, definitionID } of await insertRepeats({ run, schema, definitionIDs })) {
                const definition = definitions.get(definitionID)
                core.hints.announce("ready", definition?.channel)
                emit({ eventType: "orchestrator-job-schedule", jobID, jobName: definition?.name ?? "" })
            }
            const nextMs = await nextRepeatMs({ run, schema, definitionIDs })
            return Math.min(repeatIntervalMs, Math.max(0, nextMs ?? repeatIntervalMs))
        },
    }
}
