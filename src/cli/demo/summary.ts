import type { Inspector, ListedJob } from "../../index.ts"
import { type Column, type Look, paint } from "../look.ts"
import { RELEASE_INTERVAL_MS, REPEAT_INTERVAL_MS } from "./definitions.ts"
import { number, seconds } from "./view.ts"

/** What became of the jobs of a definition. */
export interface Outcome {
    definition: string
    numSucceeded: number
    numFailed: number
    /** Those that have not ended. */
    numQueued: number
    numAttempts: number
}

/** What the database has on record, and not what the view believed. */
export interface Summary {
    outcomes: Outcome[]
    /** How close two jobs of `publish-digest` were taken from the queue, and two of `heartbeat` due; null for fewer than two. */
    closest: { definition: string; numJobs: number; ms: number | null }[]
}

const COLUMNS: Column[] = [
    { title: "DEFINITION" },
    ...["SUCCEEDED", "FAILED", "STILL QUEUED", "ATTEMPTS"].map((title) => ({ title, isNumber: true })),
]

/** Reads what became of all jobs. */
export async function summarize(inspector: Inspector, names: readonly string[]): Promise<Summary> {
    const jobs = await allJobs(inspector)
    const of = (name: string) => jobs.filter(({ definition }) => definition === name)
    return {
        outcomes: names.map((definition) => outcomeOf(definition, of(definition))),
        closest: [
            closestOf("publish-digest", of("publish-digest"), ({ claimedAt }) => claimedAt),
            closestOf("heartbeat", of("heartbeat"), ({ dueAt }) => dueAt),
        ],
    }
}

/** Says it. */
export function summaryLines({ outcomes, closest }: Summary, elapsedMs: number, look: Look): string[] {
    const rows = outcomes.map(({ definition, numSucceeded, numFailed, numQueued, numAttempts }) => [
        definition,
        ...[numSucceeded, numFailed, numQueued, numAttempts].map(number),
    ])
    const rules: Record<string, string> = {
        "publish-digest": `was held to one in ${RELEASE_INTERVAL_MS} ms`,
        heartbeat: `was due every ${REPEAT_INTERVAL_MS} ms`,
    }
    return [
        "",
        look.line(
            paint("bold", "Summary"),
            paint("dim", ` as the database has it, after ${seconds(elapsedMs)}`),
        ),
        ...look.table(COLUMNS, rows),
        "",
        ...closest.flatMap(({ definition, numJobs, ms }) =>
            ms === null
                ? []
                : [
                      look.line(
                          `${definition} ${rules[definition]}: of ${numJobs} jobs, no two came closer than ${Math.floor(ms)} ms`,
                      ),
                  ],
        ),
    ]
}

async function allJobs(inspector: Inspector): Promise<ListedJob[]> {
    const jobs: ListedJob[] = []
    let after: string | null = null
    do {
        const page: { jobs: ListedJob[]; next: string | null } = await inspector.jobs({
            limit: 100,
            ...(after === null ? {} : { after }),
        })
        jobs.push(...page.jobs)
        after = page.next
    } while (after !== null)
    return jobs
}

function outcomeOf(definition: string, jobs: readonly ListedJob[]): Outcome {
    const numSucceeded = jobs.filter(({ state }) => state === "succeeded").length
    const numFailed = jobs.filter(({ state }) => state === "failed").length
    const numAttempts = jobs.reduce((sum, { numAttemptsUsed }) => sum + numAttemptsUsed, 0)
    return {
        definition,
        numSucceeded,
        numFailed,
        numQueued: jobs.length - numSucceeded - numFailed,
        numAttempts,
    }
}

function closestOf(definition: string, jobs: readonly ListedJob[], at: (job: ListedJob) => Date | null) {
    const timesMs = jobs.flatMap((job) => at(job)?.getTime() ?? []).sort((a, b) => a - b)
    const gapsMs = timesMs.slice(1).map((ms, i) => ms - (timesMs[i] ?? 0))
    return { definition, numJobs: timesMs.length, ms: gapsMs.length === 0 ? null : Math.min(...gapsMs) }
}
