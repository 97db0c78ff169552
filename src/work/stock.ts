import { monotonicMs } from "../clock.ts"
import { Pace } from "./pace.ts"
import type { JobRun } from "./run-job.ts"

/** The runs of one kind: those that were claimed and wait to be started, in their order, and those that are at work. */
export class Stock {
    readonly #pace: Pace
    readonly #running = new Set<JobRun>()
    #waiting: JobRun[] = []
    #first = 0
    #numGatedWaiting = 0

    constructor(concurrency: number) {
        this.#pace = new Pace(concurrency)
    }

    get numRunning(): number {
        return this.#running.size
    }

    get numWaiting(): number {
        return this.#waiting.length - this.#first
    }

    /** How many of those that wait hold a place of their definition's. */
    get numGatedWaiting(): number {
        return this.#numGatedWaiting
    }

    get waiting(): readonly JobRun[] {
        return this.#waiting.slice(this.#first)
    }

    get running(): Iterable<JobRun> {
        return this.#running
    }

    /** How long the oldest one has waited. */
    get waitedMs(): number {
        if (this.numWaiting === 0) return 0
        return monotonicMs() - Math.min(...this.waiting.map(({ claimedAtMs }) => claimedAtMs))
    }

    /** How many to claim now: enough for what is free and for what will end within the next moments. */
    numWanted(numFree: number): number {
        const numAhead = this.#pace.ahead(monotonicMs())
        const room = numFree + numAhead - this.numWaiting
        // While there is a stock, wait until a claim is worth its round trip.
        return this.numWaiting > 0 && room < numAhead / 2 ? 0 : Math.max(0, room)
    }

    /** Takes a run to start in its turn: before those of larger priority that wait. */
    add(run: JobRun): void {
        let place = this.#waiting.length
        while (place > this.#first && this.#isAfter(place - 1, run)) place--
        if (place === this.#waiting.length) this.#waiting.push(run)
        else this.#waiting.splice(place, 0, run)
        if (run.isGated) this.#numGatedWaiting++
    }

    /** Starts the first one that waits. Returns false when none does. */
    startNext(): boolean {
        const next = this.#waiting[this.#first]
        if (next === undefined) return false
        this.#pace.started(monotonicMs())
        this.#first++
        if (next.isGated) this.#numGatedWaiting--
        // What has started is let go of: an array that never runs empty would hold all that there ever was.
        if (this.#first > this.numWaiting) {
            this.#waiting = this.#waiting.slice(this.#first)
            this.#first = 0
        }
        this.#running.add(next)
        void next.start()
        return true
    }

    /** A run is no longer at work. Returns false when it was not. */
    end(run: JobRun): boolean {
        if (!this.#running.delete(run)) return false
        this.#pace.ended(monotonicMs())
        return true
    }

    /** Takes out those that wait, all or those meant. */
    takeWaiting(isMeant: (run: JobRun) => boolean = () => true): JobRun[] {
        const waiting = this.#waiting.slice(this.#first)
        this.#clear()
        this.#waiting = waiting.filter((run) => !isMeant(run))
        this.#numGatedWaiting = this.#waiting.filter((run) => run.isGated).length
        return waiting.filter(isMeant)
    }

    #isAfter(place: number, run: JobRun): boolean {
        const waiting = this.#waiting[place]
        return waiting !== undefined && waiting.job.priority > run.job.priority
    }

    #clear(): void {
        this.#waiting = []
        this.#first = 0
        this.#numGatedWaiting = 0
    }
}
