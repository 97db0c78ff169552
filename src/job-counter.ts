import { monotonicMs } from "./clock.ts"
import type { Database } from "./db/database.ts"
import { refusesValues, wasRefused } from "./db/failure.ts"
import type { QuotedSchema } from "./db/identifier.ts"
import { FAILURE_REASONS, type FailureReason } from "./events.ts"
import { bucketOf, type Histogram, NUM_BUCKETS } from "./histogram.ts"
import type { JobCounts } from "./statements/throughput-rows.ts"
import { writeThroughput } from "./statements/write-throughput.ts"

/** How often counts are written down. A process that dies loses no more than what it counted since. */
const EVERY_MS = 10_000

/** Processes that started together should not go on writing together, so each waits for up to so much more. */
const MAX_JITTER = 0.1

/** A worker that stops does not wait for longer. */
const DEADLINE_MS = 5_000

/** How many periods wait for a database that does not take them, before the oldest become one. */
const MAX_PERIODS = 60

interface OpenHistogram extends Histogram {
    readonly counts: number[]
    sumMs: number
}

interface OpenCounts extends JobCounts {
    readonly numFailed: number[]
    readonly wait: OpenHistogram
    readonly run: OpenHistogram
}

/** What was counted from one instant to another, by this process's monotonic clock. */
interface Period {
    readonly beganMs: number
    readonly endedMs: number
    readonly counts: Map<string, OpenCounts>
}

/** Who wants to know that counts could not be written. */
type OnError = (activity: string, error: unknown) => void

/**
 * Counts what becomes of the jobs that this process ends, in memory, and writes it down now and then. To count is a few
 * additions; nobody waits for the writing, and when it fails, it is tried again with the next one.
 */
export class JobCounter {
    readonly #database: Database
    readonly #schema: QuotedSchema
    readonly #listeners = new Set<OnError>()
    #counts = new Map<string, OpenCounts>()
    #beganMs = 0
    #waiting: Period[] = []
    #timer: NodeJS.Timeout | undefined
    #writing: Promise<void> = Promise.resolve()
    #isFailing = false

    constructor(params: { database: Database; schema: QuotedSchema }) {
        this.#database = params.database
        this.#schema = params.schema
    }

    /** A job function was started, `waitMs` after its job was due. */
    started(name: string, waitMs: number): void {
        add(this.#of(name).wait, waitMs)
    }

    /** `runMs` is the time from its claim. */
    succeeded(name: string, runMs: number): void {
        const counts = this.#of(name)
        counts.numSucceeded++
        add(counts.run, runMs)
    }

    /** An attempt has failed, and its job is to be attempted again. */
    retried(name: string, runMs: number): void {
        const counts = this.#of(name)
        counts.numRetried++
        add(counts.run, runMs)
    }

    /** A job has failed for good; `runMs` is null when no job function was running. */
    failed(name: string, reason: FailureReason, runMs: number | null): void {
        const counts = this.#of(name)
        const place = FAILURE_REASONS.indexOf(reason)
        counts.numFailed[place] = (counts.numFailed[place] ?? 0) + 1
        if (runMs !== null) add(counts.run, runMs)
    }

    /** Tells of faults from now on. Returns what ends that, once what was counted so far is written. */
    attach(onError: OnError): () => Promise<void> {
        // A function of its own, since two may come with the same one.
        const listener: OnError = (activity, error) => onError(activity, error)
        this.#listeners.add(listener)
        return async () => {
            await this.write()
            this.#listeners.delete(listener)
        }
    }

    /** Writes down what was counted so far. Never rejects. */
    write(): Promise<void> {
        clearTimeout(this.#timer)
        this.#timer = undefined
        this.#writing = this.#writing.then(() => this.#writeWaiting())
        return this.#writing
    }

    #of(name: string): OpenCounts {
        const known = this.#counts.get(name)
        if (known !== undefined) return known
        const counts: OpenCounts = {
            numSucceeded: 0,
            numRetried: 0,
            numFailed: FAILURE_REASONS.map(() => 0),
            wait: emptyHistogram(),
            run: emptyHistogram(),
        }
        if (this.#counts.size === 0) this.#beganMs = monotonicMs()
        this.#counts.set(name, counts)
        this.#timer ??= setTimeout(
            () => void this.write(),
            EVERY_MS * (1 + MAX_JITTER * Math.random()),
        ).unref()
        return counts
    }

    async #writeWaiting(): Promise<void> {
        this.#endPeriod()
        const run = this.#database.runWithin(DEADLINE_MS)
        for (let period = this.#waiting[0]; period !== undefined; period = this.#waiting[0]) {
            const ageMs = monotonicMs() - (period.beganMs + period.endedMs) / 2
            try {
                await writeThroughput({ run, schema: this.#schema, counts: period.counts, ageMs })
                this.#waiting.shift()
                this.#isFailing = false
            } catch (error) {
                // What may be written is not written again: rather too little is counted than too much.
                if (!wasRefused(error) || refusesValues(error)) this.#waiting.shift()
                this.#tell(error)
                return
            }
        }
    }

    #endPeriod(): void {
        if (this.#counts.size === 0) return
        this.#waiting.push({ beganMs: this.#beganMs, endedMs: monotonicMs(), counts: this.#counts })
        this.#counts = new Map()
        const [first, second] = this.#waiting
        if (this.#waiting.length <= MAX_PERIODS || first === undefined || second === undefined) return
        this.#waiting.splice(0, 2, merged(first, second))
    }

    /** Tells of the first fault in a row, and tells one of those who listen: they are of one process. */
    #tell(error: unknown): void {
        if (this.#isFailing) return
        this.#isFailing = true
        const [listener] = this.#listeners
        listener?.("write throughput", error)
    }
}

function emptyHistogram(): OpenHistogram {
    return { counts: new Array<number>(NUM_BUCKETS).fill(0), sumMs: 0 }
}

function add(histogram: OpenHistogram, ms: number): void {
    const bucket = bucketOf(ms)
    histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1
    // Clocks that are set back should not make less of a sum.
    if (ms > 0) histogram.sumMs += ms
}

/** Two periods as one. What they count stays, and takes no more room however long this goes on. */
function merged(first: Period, second: Period): Period {
    for (const [name, { numSucceeded, numRetried, numFailed, wait, run }] of second.counts) {
        const counts = first.counts.get(name)
        if (counts === undefined) {
            first.counts.set(name, { numSucceeded, numRetried, numFailed, wait, run })
            continue
        }
        counts.numSucceeded += numSucceeded
        counts.numRetried += numRetried
        addAll(counts.numFailed, numFailed)
        addAll(counts.wait.counts, wait.counts)
        addAll(counts.run.counts, run.counts)
        counts.wait.sumMs += wait.sumMs
        counts.run.sumMs += run.sumMs
    }
    return { ...first, endedMs: second.endedMs }
}

function addAll(counts: number[], others: readonly number[]): void {
    for (const [place, num] of others.entries()) counts[place] = (counts[place] ?? 0) + num
}
