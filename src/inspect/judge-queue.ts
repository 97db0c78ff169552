import type { OverdueWork } from "../statements/check-queue.ts"
import type { DaemonRow } from "../statements/daemons.ts"
import type { Counts } from "./counts.ts"
import { type Finding, ok } from "./diagnosis.ts"
import { duration, numberOf, quoted } from "./wording.ts"

/** For how long something may be left undone before that is worth a word. */
export const GRACE_MS = 60_000

/** What there is to do, and who is there to do it. */
export interface QueueFacts {
    counts: Counts
    daemons: readonly DaemonRow[]
    overdue: OverdueWork
}

/** Whether somebody is there for the jobs that are ready. */
export function judgeJobs({ counts, daemons, overdue }: QueueFacts): Finding {
    const stuck = counts.definitions.filter(
        ({ oldestReady, isPaused, definition, channel }) =>
            !isPaused &&
            (oldestReady?.ageMs ?? 0) > GRACE_MS &&
            !daemons.some((daemon) => isServing(daemon, { definition, channel })),
    )
    const facts = {
        ready: stuck.map(({ definition, channel, ready, oldestReady }) => ({
            ...{ definition, channel, numReady: ready.num, oldestReady },
        })),
        delayed: overdue.delayed,
    }
    const sentences = [
        ...stuck.map(
            ({ definition, channel, ready, oldestReady }) =>
                `${numberOf(ready.num, "ready job")} of ${quoted(definition)} (channel ${quoted(channel)}), the oldest for ${duration(oldestReady?.ageMs ?? 0)}, and no live worker that runs it`,
        ),
        ...overdue.delayed.map(
            ({ definition, num }) => `${numberOf(num, "delayed job")} of ${quoted(definition)} overdue`,
        ),
    ]
    if (sentences.length === 0) return ok("no job waits for a worker that is not there", facts)
    return {
        verdict: "problem",
        summary: sentences.join("; "),
        advice: "Start a worker of the channel, in a process that registers the definition. `npx cuckmq workers` shows those that live.",
        facts,
    }
}

function isServing(daemon: DaemonRow, job: { definition: string; channel: string }): boolean {
    return (
        daemon.kind === "worker" &&
        daemon.isLive &&
        daemon.channel === job.channel &&
        daemon.definitionNames.includes(job.definition)
    )
}

/** Whether the jobs of workers that went silent are taken back. */
export function judgeLeases({ overdue: { numLapsedLeases, lapsedWorkers } }: QueueFacts): Finding {
    const facts = { numLapsedLeases, lapsedWorkers }
    if (numLapsedLeases === 0) return ok("no lease has lapsed with jobs under it", facts)
    return {
        verdict: "problem",
        summary: `${numberOf(numLapsedLeases, "lease")} lapsed over ${duration(GRACE_MS)} ago, and nobody took the jobs back (of ${lapsedWorkers.map(quoted).join(", ")})`,
        advice: "Start a worker or an orchestrator: any of them takes such jobs back.",
        facts,
    }
}

/** Whether somebody repeats, times out and sweeps. */
export function judgeOrchestrators({ counts, daemons, overdue }: QueueFacts): Finding {
    const numLive = daemons.filter(({ kind, isLive }) => kind === "orchestrator" && isLive).length
    const { numOverdueTicks, numWaitingOperations } = overdue
    const facts = { numLive, numOverdueTicks, numWaitingOperations, numFinalized: counts.finalized.num }
    const left = [
        ...(numOverdueTicks > 0 ? [`${numberOf(numOverdueTicks, "schedule")} overdue`] : []),
        ...(numWaitingOperations > 0 ? [`${numberOf(numWaitingOperations, "operation")} waiting`] : []),
    ]
    if (numLive === 0)
        return {
            // A queue that nobody uses yet needs none.
            verdict: counts.definitions.length === 0 ? "warning" : "problem",
            summary: `no orchestrator lives: nothing repeats, times out, or is swept from history, and no operation is performed${left.map((what) => `; ${what}`).join("")}`,
            advice: "Start an orchestrator: one in any process is enough, and several do no harm.",
            facts,
        }
    if (left.length > 0)
        return {
            verdict: "warning",
            summary: `${left.join(" and ")} for more than ${duration(GRACE_MS)}, though an orchestrator lives`,
            advice: "See what the events of the orchestrator say (`daemon-error`), and whether it knows the definitions.",
            facts,
        }
    return ok(`${numberOf(numLive, "live orchestrator")}`, facts)
}
