import type { CountBounds, CountRows, DefinitionCountRow } from "../statements/count-jobs.ts"

/** How many there are. */
export interface Count {
    /**
     * Exactly so many, or, where `isExact` is false, about so many: as many as were seen at least, and more where the
     * server's statistics say so.
     */
    num: number
    /** Whether it was counted to the end. */
    isExact: boolean
}

/** How many jobs there are in each state. */
export interface StateCounts {
    /** Those that a worker could take, whatever limit or pause holds them back. */
    ready: Count
    /** Those that are not due. */
    delayed: Count
    /** Those that wait for others that they depend on. */
    blocked: Count
    /** Those that workers have. */
    running: Count
    /** Those that will not run any more, and are finalized as failed in a moment. */
    failing: Count
    /** Those that failed for good and are kept: dead letters. */
    failed: Count
}

/** How many jobs of a definition there are. */
export interface DefinitionCounts extends StateCounts {
    /** Its name. */
    definition: string
    /** Its channel. */
    channel: string
    /** Whether it is paused, by itself, with its channel, or with everything. */
    isPaused: boolean
    /** How many of its keys are paused. */
    numPausedKeys: number
    /** The ready job of it that has been due for longest; null when none is ready. */
    oldestReady: { jobID: number; dueAt: Date; ageMs: number } | null
}

/** How many jobs of a channel there are. */
export interface ChannelCounts extends StateCounts {
    /** The channel's name. */
    channel: string
}

/** How many jobs there are. */
export interface Counts {
    /** When they were counted, by the database's clock. */
    at: Date
    /** By definition, in the order of their names; definitions that are retired have no jobs, and are left out. */
    definitions: DefinitionCounts[]
    /** By channel. */
    channels: ChannelCounts[]
    /** Of the whole queue. */
    total: StateCounts
    /** Jobs in history, whatever became of them: an estimate, which costs the same for any number. */
    finalized: Count
}

/** The states that are counted. */
export const COUNTED_STATES = ["ready", "delayed", "blocked", "running", "failing", "failed"] as const
type CountedState = (typeof COUNTED_STATES)[number]

const COLUMNS = {
    ready: "numReady",
    delayed: "numDelayed",
    blocked: "numBlocked",
    running: "numRunning",
    failing: "numFailing",
    failed: "numDead",
} as const satisfies Record<CountedState, keyof DefinitionCountRow>

/** Makes of what was looked at what is told. */
export function toCounts(rows: CountRows, bounds: CountBounds): Counts {
    const countsOf = Object.fromEntries(
        COUNTED_STATES.map((state) => [state, countsIn(state, rows, bounds)]),
    ) as Record<CountedState, Count[]>
    const definitions = rows.definitions.map((row, index) => ({
        definition: row.name,
        channel: row.channel,
        isPaused: row.isPaused,
        numPausedKeys: row.numPausedKeys,
        ...statesOf((state) => countsOf[state][index] ?? { num: 0, isExact: true }),
        oldestReady: oldestOf(row, rows.atMs),
    }))
    const sumOf = (some: readonly StateCounts[]) =>
        statesOf((state) => sum(some.map((counts) => counts[state])))
    const channels = [...new Set(definitions.map(({ channel }) => channel))].sort()
    return {
        at: new Date(rows.atMs),
        definitions,
        channels: channels.map((channel) => ({
            channel,
            ...sumOf(definitions.filter((counts) => counts.channel === channel)),
        })),
        total: sumOf(definitions),
        finalized: { num: Math.round(rows.estimates.finalized), isExact: false },
    }
}

/** The numbers of each definition. */
function countsIn(state: CountedState, rows: CountRows, bounds: CountBounds): Count[] {
    const nums = rows.definitions.map((row) => row[COLUMNS[state]])
    const isByDefinition = state === "ready" || state === "failed"
    if (isByDefinition) {
        const counts = nums.map((num) => ({ num, isExact: num < rows.maxOfDefinition }))
        return state === "ready" ? withRest(counts, rows.estimates.ready) : counts
    }
    const isSeenWhole =
        state === "blocked" ? rows.numEdges < bounds.numEdges : sumOfNumbers(nums) < bounds.numOthers
    if (isSeenWhole) return nums.map((num) => ({ num, isExact: true }))
    // Those that were seen stand for all.
    const factor = Math.max(1, estimateOf(state, rows) / Math.max(1, numSeen(state, rows)))
    return nums.map((num) => ({ num: Math.round(num * factor), isExact: false }))
}

/** How many there are of what a state was looked for in, by the server's statistics. */
function estimateOf(state: "delayed" | "blocked" | "running" | "failing", { estimates }: CountRows): number {
    if (state === "failing") return 0
    return state === "blocked" ? estimates.edges : estimates[state]
}

function numSeen(state: CountedState, rows: CountRows): number {
    if (state === "blocked") return rows.numEdges
    return sumOfNumbers(rows.definitions.map((row) => row[COLUMNS[state]]))
}

/** Where one definition has more ready jobs than were looked at, it has all those that the others do not. */
function withRest(counts: Count[], estimate: number): Count[] {
    const more = counts.filter(({ isExact }) => !isExact)
    if (more.length !== 1) return counts
    const numOthers = sumOfNumbers(counts.filter(({ isExact }) => isExact).map(({ num }) => num))
    return counts.map((count) =>
        count.isExact
            ? count
            : { num: Math.max(count.num, Math.round(estimate - numOthers)), isExact: false },
    )
}

function oldestOf(
    { oldestID, oldestAtMs }: DefinitionCountRow,
    atMs: number,
): DefinitionCounts["oldestReady"] {
    if (oldestID === null || oldestAtMs === null) return null
    return { jobID: oldestID, dueAt: new Date(oldestAtMs), ageMs: Math.max(0, atMs - oldestAtMs) }
}

function statesOf(countOf: (state: CountedState) => Count): StateCounts {
    return Object.fromEntries(
        COUNTED_STATES.map((state) => [state, countOf(state)]),
    ) as unknown as StateCounts
}

function sum(counts: readonly Count[]): Count {
    return {
        num: sumOfNumbers(counts.map(({ num }) => num)),
        isExact: counts.every(({ isExact }) => isExact),
    }
}

function sumOfNumbers(numbers: readonly number[]): number {
    return numbers.reduce((total, number) => total + number, 0)
}
