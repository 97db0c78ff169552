/** How long the faults of a campaign last, each between two bounds, in milliseconds. */
export interface FaultDurations {
    readonly latencyMs: Range
    readonly latencyForMs: Range
    readonly stallMs: Range
    readonly blackHoleMs: Range
    readonly refusalMs: Range
    /** Storms of terminated or cancelled statements, lost answers, split packets. */
    readonly stormMs: Range
    /** A table or rows that someone else keeps locked. */
    readonly lockMs: Range
    /** Old snapshots, and transactions that someone forgot. */
    readonly snapshotMs: Range
    /** Settings of the role that make its statements fail. */
    readonly settingMs: Range
    readonly floodMs: Range
}

export type Range = readonly [low: number, high: number]

/** The size of a campaign. */
export interface Profile {
    readonly name: "smoke" | "full" | "soak" | "mutant"
    /** Time in which faults begin. */
    readonly minutes: number
    readonly numProducers: number
    readonly numWorkers: number
    readonly numOrchestrators: number
    readonly concurrency: number
    /** Of each producer. */
    readonly jobsPerSecond: number
    /** Between the beginnings of faults that leave something working. */
    readonly gapMs: Range
    readonly maxAtOnce: number
    /** Between an outage's end and the next one's beginning. */
    readonly outageGapMs: Range
    /** From the last acknowledged job until nothing is left: a lease, a timeout, waits between attempts, a margin. */
    readonly drainBoundMs: number
    /** After everything is drained: time for what is finished to be swept. */
    readonly lingerMs: number
    readonly durations: FaultDurations
}

/** Processes that are asked to end have this long for the jobs that they run. */
export const GRACE_MS = 2_000

/** Of the pools of a process. */
export const MAX_CONNECTIONS_OF_PROCESS = 5

/** Start, preparation and ends of processes may take this long, and what grows with a campaign this share of it. */
const OVERHEAD_MS = 3 * 60_000
const CHECK_SHARE = 0.5

const SHORT: FaultDurations = {
    latencyMs: [100, 600],
    latencyForMs: [1_500, 3_000],
    stallMs: [2_000, 4_000],
    blackHoleMs: [2_500, 4_500],
    refusalMs: [500, 1_500],
    stormMs: [1_000, 2_500],
    lockMs: [1_000, 2_500],
    snapshotMs: [6_000, 15_000],
    settingMs: [1_000, 2_500],
    floodMs: [1_500, 3_000],
}

const LONG: FaultDurations = {
    latencyMs: [200, 5_000],
    latencyForMs: [3_000, 10_000],
    stallMs: [5_000, 30_000],
    blackHoleMs: [10_000, 60_000],
    refusalMs: [1_000, 8_000],
    stormMs: [2_000, 8_000],
    lockMs: [1_000, 5_000],
    snapshotMs: [60_000, 600_000],
    settingMs: [2_000, 8_000],
    floodMs: [3_000, 15_000],
}

const FULL: Profile = {
    name: "full",
    minutes: 20,
    numProducers: 2,
    numWorkers: 4,
    numOrchestrators: 2,
    // A tenth of the jobs take seconds: fewer slots than these could not keep up.
    concurrency: 96,
    jobsPerSecond: 75,
    gapMs: [400, 3_200],
    maxAtOnce: 5,
    outageGapMs: [14_000, 26_000],
    drainBoundMs: 180_000,
    lingerMs: 16_000,
    durations: LONG,
}

export const PROFILES: Readonly<Record<Profile["name"], Profile>> = {
    smoke: {
        ...FULL,
        name: "smoke",
        minutes: 0.6,
        concurrency: 16,
        drainBoundMs: 60_000,
        jobsPerSecond: 60,
        gapMs: [200, 1_400],
        outageGapMs: [1_500, 3_000],
        lingerMs: 13_000,
        durations: SHORT,
    },
    full: FULL,
    soak: { ...FULL, name: "soak", minutes: 120 },
    // Many chances in little time: what a guard is for must happen often.
    mutant: {
        ...FULL,
        name: "mutant",
        minutes: 0.6,
        concurrency: 16,
        jobsPerSecond: 60,
        gapMs: [200, 1_000],
        outageGapMs: [1_000, 3_000],
        // What a mutant does not finish by then, it never does.
        drainBoundMs: 25_000,
        lingerMs: 5_000,
        durations: SHORT,
    },
}

/** A campaign that is not over by then hangs, and is ended. */
export function boundMs(profile: Profile): number {
    return profile.minutes * 60_000 * (1 + CHECK_SHARE) + profile.drainBoundMs + OVERHEAD_MS
}
