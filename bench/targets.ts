import type { Metrics } from "./measure.ts"
import { type Family, PEERS } from "./peers/index.ts"
import { type KeptResult, medianOf } from "./results.ts"

type Results = ReadonlyMap<string, KeptResult>

/** Something that we want to be true, and what was measured of it. */
export interface Target {
    text: string
    wanted: { atLeast: number } | { atMost: number }
    measure(results: Results): number
}

const POSTGRES_RIVALS: readonly Family[] = ["pg-boss", "graphile-worker", "bullmq-postgres"]
const RIVALS: readonly Family[] = [...POSTGRES_RIVALS, "bullmq-redis"]

/** The value of one system, by the scenario's name, the row's and the metric. */
type Place = [scenario: string, row: string, metric: keyof Metrics]

const DRAIN: Place = ["drain", "drain", "jobsPerSecond"]
const BULK: Place = ["bulk-enqueue", "bulk enqueue", "jobsPerSecond"]
const ONE_CALLER: Place = ["callers", "1 caller", "jobsPerSecond"]
const TWENTY_CALLERS: Place = ["callers", "20 callers", "jobsPerSecond"]
const PICKUP_P50: Place = ["pickup", "pickup", "p50Ms"]

/** The drain is also measured with default settings but for the concurrency, which anyone would set. */
const CONCURRENT = "cuckmq-fast"

function ours(results: Results, [scenario, row, metric]: Place, peerID = "cuckmq"): number {
    return medianOf(results.get(scenario), peerID, row, metric)
}

function bare(results: Results, [scenario, row, metric]: Place): number {
    return medianOf(results.get(scenario), "bare", row, metric)
}

/** All medians of some systems, each with the settings that it was measured with. */
function theirs(results: Results, [scenario, row, metric]: Place, families: readonly Family[]): number[] {
    return Object.entries(PEERS)
        .filter(([, { family }]) => families.includes(family))
        .map(([id]) => medianOf(results.get(scenario), id, row, metric))
        .filter((value) => !Number.isNaN(value))
}

function overFastest(place: Place, families: readonly Family[], peerID?: string): Target["measure"] {
    return (results) => {
        const values = theirs(results, place, families)
        return values.length === 0 ? Number.NaN : ours(results, place, peerID) / Math.max(...values)
    }
}

function overBare(place: Place, peerID?: string): Target["measure"] {
    return (results) => ours(results, place, peerID) / bare(results, place)
}

function overRow(place: Place, otherRow: string): Target["measure"] {
    return (results) => ours(results, place) / ours(results, [place[0], otherRow, place[2]])
}

function value(place: Place, divisor = 1): Target["measure"] {
    return (results) => ours(results, place) / divisor
}

function behind(kind: string): Target {
    return {
        text: `10,000 jobs behind 1,000,000 ${kind} ones, to the same without them`,
        wanted: { atLeast: 0.8 },
        measure: overRow(["standing-ahead", `behind ${kind}`, "jobsPerSecond"], "behind nothing"),
    }
}

const SHORT: Place = ["short-jobs", "concurrency 64", "jobsPerSecond"]

export const TARGETS: readonly Target[] = [
    {
        text: "drain at concurrency 100, to the fastest rival",
        wanted: { atLeast: 3 },
        measure: overFastest(DRAIN, RIVALS, CONCURRENT),
    },
    {
        text: "drain at concurrency 100, to bare SQL",
        wanted: { atLeast: 0.7 },
        measure: overBare(DRAIN, CONCURRENT),
    },
    {
        text: "bulk enqueue, to the fastest rival",
        wanted: { atLeast: 2 },
        measure: overFastest(BULK, RIVALS),
    },
    { text: "bulk enqueue, to bare SQL", wanted: { atLeast: 0.7 }, measure: overBare(BULK) },
    {
        text: "20 callers, to pg-boss and graphile-worker",
        wanted: { atLeast: 15 },
        measure: overFastest(TWENTY_CALLERS, ["pg-boss", "graphile-worker"]),
    },
    {
        text: "20 callers, to BullMQ on Redis",
        wanted: { atLeast: 1.5 },
        measure: overFastest(TWENTY_CALLERS, ["bullmq-redis"]),
    },
    {
        text: "1 caller, to the fastest rival on Postgres",
        wanted: { atLeast: 1.5 },
        measure: overFastest(ONE_CALLER, POSTGRES_RIVALS),
    },
    { text: "1 caller, to one bare INSERT", wanted: { atLeast: 0.85 }, measure: overBare(ONE_CALLER) },
    {
        text: "pickup p50, to BullMQ on Redis",
        wanted: { atMost: 1 },
        measure: (results) =>
            ours(results, PICKUP_P50) / Math.min(...theirs(results, PICKUP_P50, ["bullmq-redis"])),
    },
    { text: "pickup p99, ms", wanted: { atMost: 5 }, measure: value(["pickup", "pickup", "p99Ms"]) },
    {
        text: "1 ms jobs at concurrency 64, to 64,000/s or to the drain, whichever is lower",
        wanted: { atLeast: 0.8 },
        measure: (results) => ours(results, SHORT) / Math.min(64_000, ours(results, DRAIN, CONCURRENT)),
    },
    {
        text: "held snapshot, last rounds to first",
        wanted: { atLeast: 0.8 },
        measure: value(["held-snapshot", "last rounds", "ratio"]),
    },
    {
        text: "drain of 1,000,000, to the drain of 100,000",
        wanted: { atLeast: 0.9 },
        measure: overRow(["backlog", "1,000,000 jobs", "jobsPerSecond"], "100,000 jobs"),
    },
    ...["delayed", "rate-limited", "dependency-blocked", "unknown"].map(behind),
    {
        text: "drain of 100,000 groups of one job, to jobs without a group",
        wanted: { atLeast: 0.5 },
        measure: overRow(["control", "100,000 groups in turns", "jobsPerSecond"], "no control"),
    },
    {
        text: "four worker processes, to one",
        wanted: { atLeast: 1 },
        measure: overRow(["processes", "4 processes", "jobsPerSecond"], "1 process"),
    },
    {
        text: "idle worker process, queries a second",
        wanted: { atMost: 1 },
        measure: value(["idle-fleet", "20 idle workers", "queriesPerSecond"]),
    },
    {
        text: "idle worker process, MB",
        wanted: { atMost: 90 },
        measure: value(["idle-fleet", "20 idle workers", "rssMb"]),
    },
    {
        text: "WAL over the life of a job of 10 KB, to the payload",
        wanted: { atMost: 3 },
        measure: value(["payload-size", "10 kilobytes", "walBytes"], 10_240),
    },
]

export function isMet({ wanted }: Target, measured: number): boolean {
    return "atLeast" in wanted ? measured >= wanted.atLeast : measured <= wanted.atMost
}
