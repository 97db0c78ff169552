import { monotonicMs } from "../clock.ts"
import type { Event } from "../events.ts"

/** How often to look, and what is worth telling. */
const LOOK_MS = 250
const BLOCKED_MS = 1_000

/** Measures how long the event loop was blocked, while a worker runs jobs, and tells of it. */
export class LoopWatch {
    readonly #isWanted: () => boolean
    readonly #isLeaseRenewed: () => boolean
    readonly #emit: (event: Event) => void
    #timer: NodeJS.Timeout | undefined
    #lookAtMs = 0

    constructor(params: {
        isWanted: () => boolean
        /** Whether leases are renewed meanwhile. */
        isLeaseRenewed: () => boolean
        emit: (event: Event) => void
    }) {
        this.#isWanted = params.isWanted
        this.#isLeaseRenewed = params.isLeaseRenewed
        this.#emit = params.emit
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
        if (delayMs >= BLOCKED_MS) this.#tell(delayMs)
        if (this.#isWanted()) this.#schedule()
    }

    #tell(delayMs: number): void {
        const isLeaseRenewed = this.#isLeaseRenewed()
        this.#emit({ eventType: "worker-event-loop-blocked", delayMs, isLeaseRenewed })
    }
}
