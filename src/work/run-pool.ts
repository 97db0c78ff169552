import type { ThreadPool } from "../threads/thread-pool.ts"
import type { KnownDefinition } from "./claimer.ts"
import type { JobRun } from "./run-job.ts"
import { Stock } from "./stock.ts"

/** Runs claimed ahead go back when they have not started after this long. */
export const MAX_WAIT_MS = 500

/** What to claim, and how much of it. */
export interface Wanted {
    readonly definitions: readonly KnownDefinition[]
    readonly limit: number
}

/**
 * A worker's slots, and the runs that were claimed ahead for them. Those that need a thread besides a slot are apart, so
 * that nothing waits behind them while slots are free.
 */
export class RunPool {
    readonly #concurrency: number
    readonly #threads: ThreadPool
    readonly #here: Stock
    readonly #inThreads: Stock
    #hasLeftOut = false

    constructor(params: { concurrency: number; threads: ThreadPool }) {
        this.#concurrency = params.concurrency
        this.#threads = params.threads
        this.#here = new Stock(params.concurrency)
        this.#inThreads = new Stock(params.threads.size)
    }

    get numFree(): number {
        return Math.max(0, this.#concurrency - this.numRunning)
    }

    get numRunning(): number {
        return this.#here.numRunning + this.#inThreads.numRunning
    }

    get numAhead(): number {
        return this.#here.numWaiting
    }

    get isEmpty(): boolean {
        return this.#both.every((stock) => stock.numRunning === 0 && stock.numWaiting === 0)
    }

    /** Whether runs wait that others might start: those that need a thread, or that hold a place under a limit. */
    get isInTheWay(): boolean {
        return this.#inThreads.numWaiting > 0 || this.#here.numGatedWaiting > 0
    }

    /** What to claim now of these definitions. */
    wanted(all: readonly KnownDefinition[]): Wanted {
        const numHere = this.#here.numWanted(this.numFree)
        const numInThreads = this.#numWantedInThreads()
        const definitions = this.#without(all, numInThreads)
        if (definitions.length === 0) return { definitions, limit: 0 }
        return { definitions, limit: isAnyHere(definitions) ? Math.max(numHere, numInThreads) : numInThreads }
    }

    /** The same of gated definitions: no more than what can be started in a moment. */
    wantedOfGated(all: readonly KnownDefinition[]): Wanted {
        const numInThreads = Math.max(0, this.#threads.numFree - this.#inThreads.numWaiting)
        const definitions = this.#without(all, numInThreads)
        if (definitions.length === 0) return { definitions, limit: 0 }
        const limit = this.numGatedWanted()
        return { definitions, limit: isAnyHere(definitions) ? limit : Math.min(limit, numInThreads) }
    }

    /** Leaves out the definitions that run in threads while no thread is free: another worker may have one. */
    startable(definitions: readonly KnownDefinition[]): readonly KnownDefinition[] {
        return this.#without(definitions, this.#numWantedInThreads())
    }

    /** Whether definitions were left out since this was asked last. */
    takeHasLeftOut(): boolean {
        const hasLeftOut = this.#hasLeftOut
        this.#hasLeftOut = false
        return hasLeftOut
    }

    /**
     * How many jobs of gated definitions to claim now. None ahead of free slots, for each would hold a place that another
     * worker could use; but where others are claimed ahead they are short, so slots will be free in a moment.
     */
    numGatedWanted(): number {
        if (this.numAhead === 0) return this.numFree
        return this.#here.numGatedWaiting === 0 ? this.#concurrency : 0
    }

    /** Takes runs to start as slots come free, before those of larger priority that wait. */
    add(runs: readonly JobRun[]): void {
        for (const run of runs) this.#stockOf(run).add(run)
    }

    /** Starts runs while there are free slots. */
    startAll(): void {
        while (this.numFree > 0) {
            const hasStarted = this.#threads.numFree > 0 && this.#inThreads.startNext()
            if (!hasStarted && !this.#here.startNext()) return
        }
    }

    /** A run no longer needs its slot. */
    free(run: JobRun): void {
        this.#stockOf(run).end(run)
    }

    /** Takes out the runs that have waited too long for a slot: another worker may have one. */
    takeStale(): JobRun[] {
        return this.#both.flatMap((stock) => (stock.waitedMs < MAX_WAIT_MS ? [] : stock.takeWaiting()))
    }

    /** Takes out the runs that have not started, all or those meant. */
    takeAhead(isMeant: (run: JobRun) => boolean = () => true): JobRun[] {
        return this.#both.flatMap((stock) => stock.takeWaiting(isMeant))
    }

    /** The runs that have not started. */
    get ahead(): readonly JobRun[] {
        return this.#both.flatMap((stock) => stock.waiting)
    }

    /** The runs whose handlers are at work. */
    get running(): readonly JobRun[] {
        return this.#both.flatMap((stock) => [...stock.running])
    }

    get #both(): Stock[] {
        return [this.#here, this.#inThreads]
    }

    #stockOf(run: JobRun): Stock {
        return run.runsInThread ? this.#inThreads : this.#here
    }

    #numWantedInThreads(): number {
        return this.#inThreads.numWanted(Math.min(this.numFree, this.#threads.numFree))
    }

    #without(all: readonly KnownDefinition[], numInThreads: number): readonly KnownDefinition[] {
        if (numInThreads > 0) return all
        const definitions = all.filter(({ definition }) => !definition.runsInThread)
        if (definitions.length < all.length) this.#hasLeftOut = true
        return definitions
    }
}

function isAnyHere(definitions: readonly KnownDefinition[]): boolean {
    return definitions.some(({ definition }) => !definition.runsInThread)
}
