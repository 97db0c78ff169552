import { monotonicMs } from "../clock.ts"

/** How often to look, and what is worth telling. */
const LOOK_MS = 250
const BLOCKED_MS = 1_000

/** Measures how long the event loop was blocked, while a worker runs jobs. */
export class LoopWatch {
    readonly #isWanted: () => boolean
    readonly #onBlocked: (delayMs: number) => void
    #timer: NodeJS.Timeout | undefined
    #lookAtMs = 0

    constructor(params: { isWanted: () => boolean; onBlocked: (delayMs: number) => void }) {
        this.#isWanted = params.isWanted
        this.#onBlocked = params.onBlocked
    }

    /** Goes on until it is not wanted any more. */
    begin(): void {
        if (this.#timer === undefined) this.#schedule()
    }

    #schedule(): void {
        this.#lookAtMs = monotonicMs() + LOOK_MS
        this.#timer = setTimeout(() => this.#look(), LOOK_MS)
        this.#timer.unref()
    }

    #look(): void {
        const delayMs = monotonicMs() - this.#lookAtMs
        this.#timer = undefined
        if (delayMs >= BLOCKED_MS) this.#onBlocked(delayMs)
        if (this.#isWanted()) this.#schedule()
    }
}
