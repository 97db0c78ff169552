import { FAILURE_REASONS } from "../events.ts"
import { BOUNDS_MS, type Histogram, numIn } from "../histogram.ts"
import type { DefinitionTotals } from "../statements/read-totals.ts"
import { failuresOf } from "../statements/throughput-rows.ts"
import { COUNTED_STATES, type Counts } from "./counts.ts"
import type { WorkerInfo } from "./daemons.ts"

/** What there is to tell Prometheus. */
export interface MetricFacts {
    totals: readonly DefinitionTotals[]
    counts: Pick<Counts, "definitions" | "channels">
    workers: readonly Pick<WorkerInfo, "channel" | "isLive">[]
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
    cuckmq_jobs: { type: "gauge", help: "Jobs that are live, and dead letters (failed), by state." },
    cuckmq_oldest_ready_age_seconds: {
        type: "gauge",
        help: "For how long the longest waiting ready job has been due; 0 when none stands ready.",
    },
    cuckmq_workers: { type: "gauge", help: "Workers that were heard of within 30 seconds, by channel." },
} as const

type Metric = keyof typeof METRICS
type Labels = Record<string, string>

/** Every other bound: a factor of two. Each is a series for each definition. */
const BOUNDS_APART = 2

/** Says it all in Prometheus's text format, version 0.0.4. */
export function toPrometheus({ totals, counts, workers }: MetricFacts): string {
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
        family("cuckmq_jobs", counts.definitions, (definition) =>
            COUNTED_STATES.flatMap((state) =>
                sample("cuckmq_jobs", { ...labelsOf(definition), state }, definition[state].num),
            ),
        ),
        family("cuckmq_oldest_ready_age_seconds", counts.definitions, (definition) =>
            sample(
                "cuckmq_oldest_ready_age_seconds",
                labelsOf(definition),
                (definition.oldestReady?.ageMs ?? 0) / 1_000,
            ),
        ),
        family("cuckmq_workers", channelsOf({ counts, workers }), (channel) =>
            sample("cuckmq_workers", { channel }, numOfWorkers(workers, channel)),
        ),
    ]
    return families.map((lines) => `${lines.join("\n")}\n`).join("")
}

/** Those that jobs are of, and those that workers take. */
function channelsOf({ counts, workers }: Pick<MetricFacts, "counts" | "workers">): string[] {
    const channels = [...counts.channels, ...workers].map(({ channel }) => channel)
    return [...new Set(channels)].sort()
}

function numOfWorkers(workers: MetricFacts["workers"], channel: string): number {
    return workers.filter((worker) => worker.isLive && worker.channel === channel).length
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
