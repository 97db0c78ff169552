/** How far ahead a worker claims: what it will start within this time at the pace just seen. */
const HORIZON_MS = 20

/** The most that is claimed ahead. */
const MAX_AHEAD = 1_000

/** No job counts as shorter than the pace that this makes of it. */
const MAX_PER_MS = MAX_AHEAD / HORIZON_MS

/** A measurement over less work than this says little, unless all that was claimed has ended. */
const MIN_SAMPLE_MS = 4

/**
 * How many jobs to claim beyond the free slots: as many as end within the next moments at the pace of the handlers,
 * which does not depend on how long the database takes. Jobs that take longer than the horizon are not claimed
 * ahead, so they wait in the queue, where any worker can have them.
 */
export class Pace {
    readonly #concurrency: number
    #perMs = 0
    #ahead = 0
    #numEnded = 0
    #busyMs = 0
    #busySinceMs: number | undefined

    constructor(concurrency: number) {
        this.#concurrency = concurrency
    }

    /** Handlers are at work from now on. */
    begin(nowMs: number): void {
        this.#busySinceMs ??= nowMs
    }

    /** No handler is at work from now on. */
    pause(nowMs: number): void {
        if (this.#busySinceMs !== undefined) this.#busyMs += nowMs - this.#busySinceMs
        this.#busySinceMs = undefined
    }

    /** A job has ended. */
    tick(): void {
        this.#numEnded++
    }

    /** How many jobs to hold ready beyond the free slots. */
    ahead(nowMs: number): number {
        if (this.#busySinceMs !== undefined) {
            this.pause(nowMs)
            this.begin(nowMs)
        }
        const isWhole = this.#numEnded > 0 && this.#numEnded >= this.#ahead + this.#concurrency
        if (isWhole || this.#busyMs >= MIN_SAMPLE_MS) this.#measure()
        return this.#ahead
    }

    #measure(): void {
        const seen = Math.min(this.#numEnded / this.#busyMs, MAX_PER_MS)
        this.#perMs = this.#numEnded === 0 ? 0 : (this.#perMs + seen) / 2
        const expected = Math.round(this.#perMs * HORIZON_MS)
        // A few quick jobs prove little: the stock at most doubles from one claim to the next.
        const proven = 2 * this.#numEnded
        this.#ahead = expected < this.#concurrency ? 0 : Math.min(expected, proven, MAX_AHEAD)
        this.#numEnded = 0
        this.#busyMs = 0
    }
}
