/** How far ahead a worker claims: what it will start within this time at the rate just seen. */
const HORIZON_MS = 20

/** A measurement shorter than this says little. */
const MIN_SAMPLE_MS = 4

/** The most that is claimed ahead. */
const MAX_AHEAD = 1_000

/**
 * How many jobs to claim beyond the free slots: as many as end within the next moments at the pace measured. Jobs
 * that take longer than the horizon are not claimed ahead, so they wait in the queue, where any worker can have them.
 */
export class Pace {
    readonly #concurrency: number
    #numEnded = 0
    #sampleStartMs: number
    #perMs = 0

    constructor(params: { concurrency: number; nowMs: number }) {
        this.#concurrency = params.concurrency
        this.#sampleStartMs = params.nowMs
    }

    /** Call when a job has ended. */
    tick(): void {
        this.#numEnded++
    }

    /** How many jobs to hold ready beyond the free slots. */
    ahead(nowMs: number): number {
        const elapsedMs = nowMs - this.#sampleStartMs
        if (elapsedMs >= MIN_SAMPLE_MS) {
            const seen = this.#numEnded / elapsedMs
            this.#perMs = (this.#perMs + seen) / 2
            this.#numEnded = 0
            this.#sampleStartMs = nowMs
        }
        const expected = Math.floor(this.#perMs * HORIZON_MS)
        return expected < this.#concurrency ? 0 : Math.min(expected, MAX_AHEAD)
    }
}
