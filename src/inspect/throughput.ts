import type { Core } from "../core.ts"
import { inOurWords } from "../db/failure.ts"
import type { FailureReason } from "../events.ts"
import { type Histogram, numIn, quantileMs } from "../histogram.ts"
import { readThroughput } from "../statements/read-throughput.ts"
import { failuresOf, type JobCounts } from "../statements/throughput-rows.ts"
import { type ThroughputOptions, toThroughputQuery } from "./throughput-options.ts"

/**
 * How long something took, in milliseconds; null where nothing was measured. The percentiles are interpolated within the
 * buckets of a histogram: a true one and ours differ by a factor of less than 1.42, and most often by a few percent.
 * Below a millisecond they say little, and what took longer than 4,194,304 ms (70 minutes) counts as that. The mean is
 * exact.
 */
export interface DurationSummary {
    /** How many were measured. */
    num: number
    meanMs: number | null
    p50Ms: number | null
    p95Ms: number | null
    p99Ms: number | null
}

/** What became of jobs within one step of time. */
export interface ThroughputPoint {
    /** When the step began. It ends `stepMs` later. */
    at: Date
    /** Jobs that succeeded. */
    numSucceeded: number
    /** Attempts that failed and whose jobs were to be attempted again. One that was lost with its worker is not among them. */
    numRetried: number
    /** Jobs that failed for good, for whatever reason. */
    numFailed: number
    /** How many of them failed for which reason. */
    failures: Record<FailureReason, number>
    /** Jobs finalized a second: those that succeeded and those that failed, over the part of the step that has passed. */
    perSecond: number
    /**
     * From when jobs were due to when they were claimed, of those whose job functions were started within the step. What
     * a job waited for, a dependency or a limit or a pause or a free slot, makes no difference; delays do not count.
     */
    wait: DurationSummary
    /**
     * From when jobs were claimed to when the end of the attempt was on record, of attempts that succeeded, were retried
     * or failed for good. So it includes what a job that was claimed ahead waited for its slot, half a second at most.
     */
    run: DurationSummary
}

/** What became of the jobs of one queue, over time. */
export class Throughput {
    readonly #core: Core

    constructor(core: Core) {
        this.#core = core
    }

    /** Reads points, the oldest first. */
    async read(options: ThroughputOptions): Promise<ThroughputPoint[]> {
        const query = toThroughputQuery(options)
        const { run, schema } = this.#core
        return inOurWords({ action: "throughput", schema }, async () => {
            const { nowMs, parts } = await readThroughput({ run, schema, ...query })
            const { fromMs, untilMs, stepMs } = query
            return Array.from({ length: (untilMs - fromMs) / stepMs }, (_, part) =>
                toPoint({ counts: parts.get(part) ?? NOTHING, atMs: fromMs + part * stepMs, stepMs, nowMs }),
            )
        })
    }
}

const NO_DURATIONS: Histogram = { counts: [], sumMs: 0 }

const NOTHING: JobCounts = {
    numSucceeded: 0,
    numRetried: 0,
    numFailed: [],
    wait: NO_DURATIONS,
    run: NO_DURATIONS,
}

/** A step that has just begun would make a rate of next to nothing. */
const LEAST_MS = 1_000

function toPoint(params: {
    counts: JobCounts
    atMs: number
    stepMs: number
    nowMs: number
}): ThroughputPoint {
    const { counts, atMs, stepMs, nowMs } = params
    const failures = failuresOf(counts)
    const numFailed = Object.values(failures).reduce((sum, num) => sum + num, 0)
    const passedMs = nowMs < atMs ? stepMs : Math.min(Math.max(nowMs - atMs, LEAST_MS), stepMs)
    return {
        at: new Date(atMs),
        numSucceeded: counts.numSucceeded,
        numRetried: counts.numRetried,
        numFailed,
        failures,
        perSecond: ((counts.numSucceeded + numFailed) * 1_000) / passedMs,
        wait: toSummary(counts.wait),
        run: toSummary(counts.run),
    }
}

function toSummary(histogram: Histogram): DurationSummary {
    const num = numIn(histogram)
    return {
        num,
        meanMs: num === 0 ? null : histogram.sumMs / num,
        p50Ms: quantileMs(histogram, 0.5),
        p95Ms: quantileMs(histogram, 0.95),
        p99Ms: quantileMs(histogram, 0.99),
    }
}
