import { type Metrics, median } from "./measure.ts"
import { PEERS } from "./peers/index.ts"
import { type ScenarioResult, valuesOf } from "./results.ts"

/** How a metric is shown. */
export interface Column {
    metric: keyof Metrics
    title: string
    show(value: number): string
}

const grouped = (value: number) => Math.round(value).toLocaleString("en-US")
const precise = (value: number) => (value >= 100 ? grouped(value) : value.toPrecision(value < 10 ? 2 : 3))

export const COLUMNS: readonly Column[] = [
    {
        metric: "jobsPerSecond",
        title: "jobs/s",
        show: (value) => (value < 10 ? precise(value) : grouped(value)),
    },
    { metric: "p50Ms", title: "p50 ms", show: precise },
    { metric: "p99Ms", title: "p99 ms", show: precise },
    { metric: "queriesPerSecond", title: "queries/s", show: (value) => value.toFixed(2) },
    { metric: "rssMb", title: "memory MB", show: grouped },
    { metric: "ratio", title: "last ÷ first", show: (value) => value.toFixed(2) },
    { metric: "numRounds", title: "rounds", show: grouped },
    { metric: "processMicros", title: "process CPU µs/job", show: precise },
    { metric: "serverMicros", title: "server CPU µs/job", show: precise },
    { metric: "walBytes", title: "WAL bytes/job", show: grouped },
    { metric: "peakMb", title: "peak memory MB", show: grouped },
]

/** One system in one row of a scenario. */
export interface Line {
    peerID: string
    title: string
    values: Metrics
    /** The smallest and the largest value of the headline. */
    low: number
    high: number
    /** How many times better we are; below 1 the other is better. */
    ourRatio: number
}

/** What a row is judged by. */
export function headlineOf(result: ScenarioResult, row: string): Column {
    const found = COLUMNS.find(({ metric }) =>
        result.samples.some(({ rows }) => rows[row]?.[metric] !== undefined),
    )
    return found ?? (COLUMNS[0] as Column)
}

/** The systems of a row, in the order of the list of systems. */
export function linesOf(result: ScenarioResult, row: string): Line[] {
    const { metric } = headlineOf(result, row)
    const ours = median(valuesOf(result, "cuckmq", row, metric))
    return Object.entries(PEERS).flatMap(([peerID, { title }]) => {
        const headline = valuesOf(result, peerID, row, metric)
        if (headline.length === 0) return []
        const values: Metrics = {}
        for (const column of COLUMNS) {
            const all = valuesOf(result, peerID, row, column.metric)
            if (all.length > 0) values[column.metric] = median(all)
        }
        const theirs = median(headline)
        const ourRatio = metric === "jobsPerSecond" || metric === "ratio" ? ours / theirs : theirs / ours
        return [{ peerID, title, values, low: Math.min(...headline), high: Math.max(...headline), ourRatio }]
    })
}

export function ratioText(ratio: number): string {
    if (!Number.isFinite(ratio)) return "–"
    return `${ratio >= 100 ? Math.round(ratio).toLocaleString("en-US") : ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2)} ×`
}
