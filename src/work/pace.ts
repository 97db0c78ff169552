/** How far ahead a worker claims: what it will start within this time at the pace just seen. A claim may take half of it. */
const HORIZON_MS = 40

/** Jobs that take longer are not claimed ahead. */
const LONGEST_MS = 20

/** The most that is claimed ahead. */
const MAX_AHEAD = 1_000

/**
 * No job counts as shorter than the pace that this makes of it: enough for as many slots as are claimed for ahead, and one
 * more, since an average only comes near to it.
 */
const MAX_PER_MS = (MAX_AHEAD + 1) / LONGEST_MS

/** A measurement over less work than this says little, unless all that was claimed has ended. */
const MIN_SAMPLE_MS = 4

/**
 * How many jobs to claim beyond the free slots: as many as would end within the next moments if all slots were taken, by
 * how long handlers take. Neither the time that the database takes counts, nor slots that had nothing to do: a worker
 * that has run out of jobs must not take that for its pace, and claim fewer yet. Jobs that take long are not claimed
 * ahead, so they wait in the queue, where any worker can have them.
 */
export class Pace {
    readonly #concurrency: number
    #perMs = 0
    #ahead = 0
    #numRunning = 0
    /** Since the last measurement: how many have ended, how long any ran, and how long all of them together. */
    #numEnded = 0
    #busyMs = 0
    #runMs = 0
    #atMs = 0

    constructor(concurrency: number) {
        this.#concurrency = concurrency
    }

    /** A handler has started. */
    started(nowMs: number): void {
        this.#advance(nowMs)
        this.#numRunning++
    }

    /** A handler has ended. */
    ended(nowMs: number): void {
        this.#advance(nowMs)
        this.#numRunning--
        this.#numEnded++
    }

    /** How many jobs to hold ready beyond the free slots. */
    ahead(nowMs: number): number {
        this.#advance(nowMs)
        const isWhole = this.#numEnded > 0 && this.#numEnded >= this.#ahead + this.#concurrency
        if (isWhole || this.#busyMs >= MIN_SAMPLE_MS) this.#measure()
        return this.#ahead
    }

    #advance(nowMs: number): void {
        const passedMs = nowMs - this.#atMs
        this.#atMs = nowMs
        if (this.#numRunning === 0) return
        this.#busyMs += passedMs
        this.#runMs += passedMs * this.#numRunning
    }

    #measure(): void {
        const seen = Math.min((this.#concurrency * this.#numEnded) / this.#runMs, MAX_PER_MS)
        this.#perMs = this.#numEnded === 0 ? 0 : (this.#perMs + seen) / 2
        const isLong = this.#perMs * LONGEST_MS < this.#concurrency
        const expected = Math.round(this.#perMs * HORIZON_MS)
        // A few quick jobs prove little: the stock grows by as many as have ended, or at most to twice as many.
        const proven = Math.max(2 * this.#numEnded, this.#ahead + this.#numEnded)
        this.#ahead = isLong ? 0 : Math.min(expected, proven, MAX_AHEAD)
        this.#numEnded = 0
        this.#busyMs = 0
        this.#runMs = 0
    }
}
