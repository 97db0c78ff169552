import type { Point, ThroughputAnswer } from "./answers.ts"
import { decimal, duration, number } from "./format.ts"
import { get } from "./http.ts"
import { type Loaded, useLoad } from "./load.ts"
import { serverNow } from "./now.ts"
import type { ChartData, Series } from "./parts/chart-data.ts"

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** For how long back charts go, and by which steps. */
export const RANGES = {
    "15m": { text: "15 min", spanMs: 15 * MINUTE, stepMs: MINUTE },
    "1h": { text: "1 h", spanMs: HOUR, stepMs: MINUTE },
    "6h": { text: "6 h", spanMs: 6 * HOUR, stepMs: 5 * MINUTE },
    "24h": { text: "24 h", spanMs: 24 * HOUR, stepMs: 15 * MINUTE },
    "7d": { text: "7 d", spanMs: 7 * 24 * HOUR, stepMs: HOUR },
} as const

export type Range = keyof typeof RANGES

export const RANGE_NAMES = Object.keys(RANGES) as Range[]

/** How long a step is too young for its rate to be right. */
const UNSETTLED_MS = 60_000

/** Daemons write their counts down every ten seconds. */
const EVERY_MS = 10_000

/** The throughput of a range up to now, of all or of one definition, and again every ten seconds. */
export function useThroughput(range: Range, definition?: string): Loaded<Point[]> {
    const { spanMs, stepMs } = RANGES[range]
    return useLoad({
        key: `${range} ${definition ?? ""}`,
        everyMs: EVERY_MS,
        ask: async (signal) => {
            const untilMs = serverNow()
            const from = new Date(untilMs - spanMs + stepMs).toISOString()
            const until = new Date(untilMs + 1).toISOString()
            const answer = await get<ThroughputAnswer>(
                "throughput",
                { from, until, stepMs, definition },
                signal,
            )
            return answer.points
        },
    })
}

/** The charts that throughput makes. */
export function throughputCharts(
    points: readonly Point[],
    range: Range,
): { title: string; data: ChartData }[] {
    const times = points.map(({ at }) => Date.parse(at))
    const { stepMs } = RANGES[range]
    const perSecond = settledRates(points, stepMs)
    const rate: Series = { name: "per second", kind: "area", tone: "first", values: perSecond }
    const failures: Series[] = [
        {
            name: "failed for good",
            kind: "bar",
            tone: "bad",
            values: points.map(({ numFailed }) => numFailed),
        },
        {
            name: "to be tried again",
            kind: "bar",
            tone: "warn",
            values: points.map(({ numRetried }) => numRetried),
        },
    ]
    return [
        { title: "Throughput", data: { times, stepMs, series: [rate], format: decimal } },
        { title: "Failures", data: { times, stepMs, series: failures, format: number, isWhole: true } },
        {
            title: "Wait",
            data: { times, stepMs, series: percentiles(points, "wait"), format: duration, isDuration: true },
        },
        {
            title: "Run",
            data: { times, stepMs, series: percentiles(points, "run"), format: duration, isDuration: true },
        },
    ]
}

/** A step that has just begun has a rate too low: what daemons counted in their last ten seconds is not there yet. */
function settledRates(points: readonly Point[], stepMs: number): (number | null)[] {
    const rates = points.map(({ perSecond }) => perSecond)
    const last = points.at(-1)
    if (last === undefined || rates.slice(0, -1).every((rate) => rate === 0)) return rates
    const passedMs = Math.min(serverNow() - Date.parse(last.at), stepMs)
    return passedMs < UNSETTLED_MS ? [...rates.slice(0, -1), null] : rates
}

function percentiles(points: readonly Point[], of: "wait" | "run"): Series[] {
    const known = (["p50Ms", "p95Ms", "p99Ms"] as const).map((name) => points.map((point) => point[of][name]))
    const [p50 = [], p95 = [], p99 = []] = known
    return [
        { name: "p99", kind: "line", tone: "third", values: p99 },
        { name: "p95", kind: "line", tone: "second", values: p95 },
        { name: "p50", kind: "line", tone: "first", values: p50 },
    ]
}
