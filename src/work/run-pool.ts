import { monotonicMs } from "../clock.ts"
import { Pace } from "./pace.ts"
import type { JobRun } from "./run-job.ts"

/** Runs claimed ahead go back when they have not started after this long. */
const MAX_WAIT_MS = 500

/** A worker's slots, and the runs that were claimed ahead for them. */
export class RunPool {
    readonly #concurrency: number
    readonly #pace: Pace
    readonly #running = new Set<JobRun>()
    #ahead: { run: JobRun; sinceMs: number }[] = []
    #firstAhead = 0
    #numGatedAhead = 0

    constructor(concurrency: number) {
        this.#concurrency = concurrency
        this.#pace = new Pace(concurrency)
    }

    get numFree(): number {
        return Math.max(0, this.#concurrency - this.#running.size)
    }

    get numAhead(): number {
        return this.#ahead.length - this.#firstAhead
    }

    get isEmpty(): boolean {
        return this.#running.size === 0 && this.numAhead === 0
    }

    /** How many jobs to claim now: enough for the free slots and for what will end within the next moments. */
    numWanted(): number {
        const numAhead = this.#pace.ahead(monotonicMs())
        const room = this.numFree + numAhead - this.numAhead
        // While there is a stock, wait until a claim is worth its round trip.
        return this.numAhead > 0 && room < numAhead / 2 ? 0 : Math.max(0, room)
    }

    /**
     * How many jobs of gated definitions to claim now. None ahead of free slots, for each would hold a place that another
     * worker could use; but where others are claimed ahead they are short, so slots will be free in a moment.
     */
    numGatedWanted(): number {
        if (this.numAhead === 0) return this.numFree
        return this.#numGatedAhead === 0 ? this.#concurrency : 0
    }

    /** Takes runs to start as slots come free. */
    add(runs: readonly JobRun[]): void {
        const nowMs = monotonicMs()
        for (const run of runs) {
            this.#ahead.push({ run, sinceMs: nowMs })
            if (run.isGated) this.#numGatedAhead++
        }
    }

    /** Starts runs while there are free slots. */
    startAll(): void {
        if (this.numAhead > 0) this.#pace.begin(monotonicMs())
        while (this.#running.size < this.#concurrency) {
            const next = this.#ahead[this.#firstAhead]
            if (next === undefined) break
            this.#firstAhead++
            if (next.run.isGated) this.#numGatedAhead--
            this.#running.add(next.run)
            void next.run.start()
        }
        if (this.#firstAhead === this.#ahead.length && this.#firstAhead > 0) {
            this.#ahead = []
            this.#firstAhead = 0
        }
    }

    /** A run no longer needs its slot. */
    free(run: JobRun): void {
        if (!this.#running.delete(run)) return
        this.#pace.tick()
        if (this.#running.size === 0) this.#pace.pause(monotonicMs())
    }

    /** Takes out the runs that have waited too long for a slot: another worker may have one. */
    takeStale(): JobRun[] {
        const oldest = this.#ahead[this.#firstAhead]
        if (oldest === undefined || monotonicMs() - oldest.sinceMs < MAX_WAIT_MS) return []
        return this.takeAhead()
    }

    /** Takes out the runs that have not started, all or those meant. */
    takeAhead(isMeant: (run: JobRun) => boolean = () => true): JobRun[] {
        const waiting = this.#ahead.slice(this.#firstAhead)
        this.#ahead = waiting.filter(({ run }) => !isMeant(run))
        this.#firstAhead = 0
        this.#numGatedAhead = this.#ahead.filter(({ run }) => run.isGated).length
        return waiting.map(({ run }) => run).filter(isMeant)
    }

    /** The runs whose handlers are at work. */
    get running(): readonly JobRun[] {
        return [...this.#running]
    }
}
