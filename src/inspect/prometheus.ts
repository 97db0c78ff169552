import { FAILURE_REASONS } from "../events.ts"
import { BOUNDS_MS, type Histogram, numIn } from "../histogram.ts"
import type { DefinitionTotals } from "../statements/read-totals.ts"
import { failuresOf } from "../statements/throughput-rows.ts"

/** How many live jobs of a definition are in a state. */
export interface StateCount {
    definition: string
    channel: string
    state: string
    num: number
}

/** How long the ready job of a definition that has waited longest has been due; null when none stands ready. */
export interface OldestReady {
    definition: string
    channel: string
    ageMs: number | null
}

/** What there is to tell Prometheus. */
export interface MetricFacts {
    totals: readonly DefinitionTotals[]
    /** Of what is live now; null leaves the metrics out that tell of it. */
    counts: { states: readonly StateCount[]; oldestReady: readonly OldestReady[] } | null
}

/** Every metric that is exported: its type, and its help. */
export const METRICS = {
    cuckmq_jobs_succeeded_total: { type: "counter", help: "Jobs that succeeded." },
    cuckmq_jobs_failed_total: { type: "counter", help: "Jobs that failed for good, by reason." },
    cuckmq_jobs_retried_total: {
        type: "counter",
        help: "Attempts that failed and whose jobs were to be attempted again.",
    },
    cuckmq_job_wait_seconds: {
        type: "histogram",
        help: "From when jobs were due to when they were claimed, of those that were started.",
    },
    cuckmq_job_run_seconds: {
        type: "histogram",
        help: "From when jobs were claimed to when the end of the attempt was on record.",
    },
    cuckmq_jobs: { type: "gauge", help: "Live jobs, by state." },
    cuckmq_oldest_ready_age_seconds: {
        type: "gauge",
        help: "For how long the longest waiting ready job has been due; 0 when none stands ready.",
    },
} as const

type Metric = keyof typeof METRICS
type Labels = Record<string, string>

/** Every other bound: a factor of two. Each is a series for each definition. */
const BOUNDS_APART = 2

/** Says it all in Prometheus's text format, version 0.0.4. */
export function toPrometheus({ totals, counts }: MetricFacts): string {
    const families = [
        family("cuckmq_jobs_succeeded_total", totals, (total) =>
            sample("cuckmq_jobs_succeeded_total", labelsOf(total), total.numSucceeded),
        ),
        family("cuckmq_jobs_failed_total", totals, (total) => {
            const failures = failuresOf(total)
            return FAILURE_REASONS.flatMap((reason) =>
                sample("cuckmq_jobs_failed_total", { ...labelsOf(total), reason }, failures[reason]),
            )
        }),
        family("cuckmq_jobs_retried_total", totals, (total) =>
            sample("cuckmq_jobs_retried_total", labelsOf(total), total.numRetried),
        ),
        family("cuckmq_job_wait_seconds", totals, (total) =>
            histogram("cuckmq_job_wait_seconds", labelsOf(total), total.wait),
        ),
        family("cuckmq_job_run_seconds", totals, (total) =>
            histogram("cuckmq_job_run_seconds", labelsOf(total), total.run),
        ),
    ]
    if (counts !== null) {
        families.push(
            family("cuckmq_jobs", counts.states, (count) =>
                sample("cuckmq_jobs", { ...labelsOf(count), state: count.state }, count.num),
            ),
            family("cuckmq_oldest_ready_age_seconds", counts.oldestReady, (oldest) =>
                sample("cuckmq_oldest_ready_age_seconds", labelsOf(oldest), (oldest.ageMs ?? 0) / 1_000),
            ),
        )
    }
    return families.map((lines) => `${lines.join("\n")}\n`).join("")
}

function labelsOf({ definition, channel }: { definition: string; channel: string }): Labels {
    return { definition, channel }
}

/** A metric's name is said once, with all of its samples after it. */
function family<Item>(metric: Metric, items: readonly Item[], samplesOf: (item: Item) => string[]): string[] {
    const { type, help } = METRICS[metric]
    return [`# HELP ${metric} ${help}`, `# TYPE ${metric} ${type}`, ...items.flatMap(samplesOf)]
}

function sample(name: string, labels: Labels, value: number): string[] {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`)
    return [`${name}{${pairs.join(",")}} ${value}`]
}

/** Buckets count all that is no longer than their bound. */
function histogram(name: string, labels: Labels, durations: Histogram): string[] {
    const lines: string[] = []
    let numBelow = 0
    for (const [bucket, boundMs] of BOUNDS_MS.entries()) {
        numBelow += durations.counts[bucket] ?? 0
        if (bucket % BOUNDS_APART === 0)
            lines.push(...sample(`${name}_bucket`, { ...labels, le: String(boundMs / 1_000) }, numBelow))
    }
    const num = numIn(durations)
    return [
        ...lines,
        ...sample(`${name}_bucket`, { ...labels, le: "+Inf" }, num),
        ...sample(`${name}_sum`, labels, durations.sumMs / 1_000),
        ...sample(`${name}_count`, labels, num),
    ]
}

/** A label's value, as the format wants it within its quotes. */
function escaped(text: string): string {
    return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"')
}
