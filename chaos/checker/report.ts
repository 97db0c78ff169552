import { writeFileSync } from "node:fs"
import type pg from "pg"
import type { Verdict } from "./index.ts"
import { shortestTimeline } from "./timeline.ts"

/** What a campaign came to: report.json, and what is printed. */
export interface Report {
    readonly peer: string
    readonly profile: string
    readonly seed: number
    readonly jobs: number
    readonly faults: number
    readonly faultKinds: number
    readonly staleSettlesFenced: number
    readonly violations: number
    /** No violation, and nothing untried that should have been tried. */
    readonly isClean: boolean
    readonly faultsByKind: Readonly<Record<string, number>>
    readonly invariants: readonly InvariantReport[]
}

export interface InvariantReport {
    readonly id: string
    readonly title: string
    readonly exercised: number
    readonly violations: number
    readonly hasFailed: boolean
    readonly tookMs: number
    readonly examples: readonly { what: string; jobIDs: readonly string[] }[]
    readonly figures: Readonly<Record<string, number>>
    /** Of the job among the examples that has the shortest. */
    readonly timeline: { readonly jobID: string; readonly lines: readonly string[] } | null
}

const COUNTS = /* sql */ `
select
    peer, profile, seed,
    (select count(*) from job) as jobs,
    (select count(*) from fault where fault not in ('clock-shift', 'time-zone')) as faults,
    coalesce(
        (select json_object_agg(fault, num) from (select fault, count(*) as num from fault group by fault order by fault) as f),
        '{}'
    ) as faults_by_kind
from facts`

interface Counts {
    peer: string
    profile: string
    seed: string
    jobs: string
    faults: string
    faults_by_kind: Record<string, number>
}

/** Puts verdicts together with what the ledger says of the campaign. */
export async function makeReport(ledger: pg.Client | pg.Pool, verdicts: readonly Verdict[]): Promise<Report> {
    const { rows } = await ledger.query<Counts>(COUNTS)
    const [counts] = rows
    if (counts === undefined) throw new Error("the ledger has no facts")
    const invariants: InvariantReport[] = []
    for (const verdict of verdicts) invariants.push(await reportOf(ledger, verdict))
    return {
        peer: counts.peer,
        profile: counts.profile,
        seed: Number(counts.seed),
        jobs: Number(counts.jobs),
        faults: Number(counts.faults),
        faultKinds: Object.keys(counts.faults_by_kind).length,
        staleSettlesFenced: invariants.find(({ id }) => id === "I5")?.figures.stale_settles_fenced ?? 0,
        violations: invariants.reduce((sum, { violations }) => sum + violations, 0),
        isClean: !invariants.some(({ hasFailed }) => hasFailed),
        faultsByKind: counts.faults_by_kind,
        invariants,
    }
}

async function reportOf(ledger: pg.Client | pg.Pool, verdict: Verdict): Promise<InvariantReport> {
    const { invariant, finding, hasFailed, tookMs } = verdict
    const jobIDs = finding.examples.flatMap((example) => example.jobIDs.slice(0, 3))
    return {
        id: invariant.id,
        title: invariant.title,
        exercised: finding.numExercised,
        violations: finding.numViolations,
        hasFailed,
        tookMs: Math.round(tookMs),
        examples: finding.examples.map(({ what, jobIDs }) => ({ what, jobIDs: jobIDs.slice(0, 10) })),
        figures: finding.figures ?? {},
        timeline: finding.numViolations === 0 ? null : ((await shortestTimeline(ledger, jobIDs)) ?? null),
    }
}

export function writeReport(report: Report, path: string): void {
    writeFileSync(path, `${JSON.stringify(report, null, 4)}\n`)
}

/** The report for people, ending with the line that sums it up. */
export function reportLines(report: Report): string[] {
    const lines = report.invariants.map((invariant) => {
        const mark = invariant.hasFailed ? "FAILED" : "ok"
        const exercised = `${count(invariant.exercised)} cases`.padStart(16)
        return `${invariant.id.padEnd(4)}${mark.padEnd(7)}${exercised}  ${invariant.title}`
    })
    for (const invariant of report.invariants.filter(({ hasFailed }) => hasFailed)) {
        lines.push("", ...failureLines(invariant, report.seed))
    }
    return [...lines, "", summary(report)]
}

function failureLines(invariant: InvariantReport, seed: number): string[] {
    const { id, title, violations, examples, timeline } = invariant
    if (violations === 0) return [`${id} was never put to the test (seed ${seed}): ${title}`]
    return [
        `${id} was violated ${count(violations)} times (seed ${seed}): ${title}`,
        ...examples.map(({ what, jobIDs }) =>
            jobIDs.length === 0 ? `  - ${what}` : `  - job ${jobIDs.join(", ")}: ${what}`,
        ),
        ...(timeline === null
            ? []
            : [`  job ${timeline.jobID}:`, ...timeline.lines.map((line) => `  ${line}`)]),
    ]
}

/** Such as `chaos: 412,318 jobs, 1,207 faults (21 kinds), 1,911 stale settles fenced, 0 violations, seed 42`. */
export function summary(report: Report): string {
    const { jobs, faults, faultKinds, staleSettlesFenced, violations, seed, peer } = report
    const name = peer === "cuckmq" ? "chaos" : `chaos (${peer})`
    return (
        `${name}: ${count(jobs)} jobs, ${count(faults)} faults (${faultKinds} kinds), ` +
        `${count(staleSettlesFenced)} stale settles fenced, ${count(violations)} violations, seed ${seed}`
    )
}

function count(value: number): string {
    return value.toLocaleString("en-US")
}
