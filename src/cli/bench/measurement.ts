/** What is measured. */
export type MeasurementName = "defer-many" | "run" | "start" | "defer-1-caller" | "defer-20-callers"

/** What was measured. */
export interface Measurement {
    name: MeasurementName
    /** Of how many jobs. */
    numJobs: number
    /** Whether it was measured to its end, rather than for the time that it had. */
    isWhole: boolean
    /** Null where it means nothing. */
    jobsPerSecond: number | null
    /** What half of them took, in milliseconds; null where single ones are not measured. */
    p50Ms: number | null
    /** What 99 of 100 took at the most. */
    p99Ms: number | null
}

/** So many jobs in a time. */
export function rateOf(params: {
    name: MeasurementName
    numJobs: number
    tookMs: number
    isWhole: boolean
}): Measurement {
    const { tookMs, ...rest } = params
    return { ...rest, jobsPerSecond: rateIn(rest.numJobs, tookMs), p50Ms: null, p99Ms: null }
}

/** How long single ones took, and in what time all of them were done where that is asked. */
export function timesOf(params: {
    name: MeasurementName
    timesMs: readonly number[]
    tookMs: number | null
    isWhole: boolean
}): Measurement {
    const { name, timesMs, tookMs, isWhole } = params
    const sorted = [...timesMs].sort((a, b) => a - b)
    const percentile = (percent: number) => {
        const ms = sorted[Math.ceil((percent / 100) * sorted.length) - 1]
        return ms === undefined ? null : Math.round(ms * 100) / 100
    }
    const jobsPerSecond = tookMs === null ? null : rateIn(sorted.length, tookMs)
    return {
        ...{ name, numJobs: sorted.length, isWhole, jobsPerSecond },
        ...{ p50Ms: percentile(50), p99Ms: percentile(99) },
    }
}

function rateIn(numJobs: number, tookMs: number): number | null {
    return numJobs === 0 ? null : Math.round((numJobs * 1_000) / tookMs)
}
