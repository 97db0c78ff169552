import type { Core } from "../config.ts"
import { CronRules } from "../cron/cron-rules.ts"
import { planTicks } from "../cron/plan-ticks.ts"
import { type Shrinking, shrinking } from "../db/shrinking.ts"
import { type DueRepeat, findDueRepeats, nextRepeatsMs } from "../statements/find-due-repeats.ts"
import { type CronPlan, repeatJobs as fire, type Repeat } from "../statements/repeat-jobs.ts"
import type { RepeatSource } from "../statements/repeat-source.ts"
import type { Chore } from "./chore.ts"

/** Schedules fired in one statement, each with up to a hundred jobs. */
const CHUNK = 100

/** When someone else has what is due locked, it is done by then. */
const CONTENDED_MS = 20

/** Defers the jobs of definitions that repeat and of schedules when their ticks come; sleeps until the next one. */
export function repeatJobs(repeatIntervalMs: number): Chore {
    const rules = new CronRules()
    const inTime = shrinking(CHUNK)
    return {
        name: "repeat jobs",
        heeds: "schedule",
        run: async ({ core, emit }) => {
            const definitionIDs = await repeatingIDs(core)
            const { run, schema } = core
            const nextMs = await nextRepeatsMs({ run, schema, definitionIDs })
            const due = (Object.keys(nextMs) as RepeatSource[]).filter((source) => nextMs[source] <= 0)
            if (due.length === 0) return Math.min(repeatIntervalMs, ...Object.values(nextMs))
            const repeats: Repeat[] = []
            const faults: unknown[] = []
            for (const source of due) {
                const done = await firePart({ core, source, definitionIDs, rules, inTime, faults })
                repeats.push(...done)
                for (const { jobID, jobName, channel, scheduleName } of done) {
                    if (jobID === null) continue
                    core.hints.announce("ready", channel)
                    emit({
                        eventType: "orchestrator-job-schedule",
                        jobID,
                        jobName,
                        ...(scheduleName === null ? {} : { scheduleName }),
                    })
                }
            }
            if (faults.length > 0) throw faults[0]
            // There may be more, and other chores come first.
            return repeats.length > 0 ? 0 : CONTENDED_MS
        },
    }
}

async function repeatingIDs({ registry }: Core): Promise<number[]> {
    const ids: number[] = []
    for (const job of registry.jobs())
        if (job.repeatIntervalMs !== null || job.repeatCron !== null) ids.push(await registry.idOf(job))
    return ids
}

/** Fires what is due, as much as is done at a time. What cannot be reckoned here is left to others. */
async function firePart(params: {
    core: Core
    source: RepeatSource
    definitionIDs: readonly number[]
    rules: CronRules
    inTime: Shrinking
    faults: unknown[]
}): Promise<Repeat[]> {
    const { core, source, definitionIDs, rules, inTime, faults } = params
    const { run, schema } = core
    return inTime(async (limit) => {
        const found = await findDueRepeats({ run, schema, source, definitionIDs, limit })
        const plans: CronPlan[] = []
        const ids: number[] = []
        for (const repeat of found) {
            try {
                const plan = planOf(repeat, rules)
                if (plan !== undefined) plans.push(plan)
                ids.push(repeat.id)
            } catch (error) {
                faults.push(error)
            }
        }
        return ids.length === 0 ? [] : fire({ run, schema, source, ids, plans })
    })
}

function planOf(repeat: DueRepeat, rules: CronRules): CronPlan | undefined {
    const { id, cron, tickS, nowS, onMissed } = repeat
    if (cron === null) return undefined
    const tickMs = tickS === null ? null : tickS * 1_000
    const plan = planTicks({ rule: rules.read(cron), tickMs, nowMs: nowS * 1_000, onMissed })
    return { id, cron, tickS, ...plan }
}
