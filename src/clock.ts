/** Milliseconds on this process's monotonic clock: for measuring, never for what is stored. */
export function monotonicMs(): number {
    return performance.now()
}

/** Does something once when the current work is done, however often it is asked to meanwhile. */
export class Soon {
    readonly #work: () => void
    #isAsked = false

    constructor(work: () => void) {
        this.#work = work
    }

    ask(): void {
        if (this.#isAsked) return
        this.#isAsked = true
        queueMicrotask(() => {
            this.#isAsked = false
            this.#work()
        })
    }
}

/** `setTimeout` takes at most this; longer waits are taken in parts. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** A timer that may be set again, and fires once. */
export class Alarm {
    readonly #onFire: () => void
    #timer: NodeJS.Timeout | undefined
    #firesAtMs = Number.POSITIVE_INFINITY

    constructor(onFire: () => void) {
        this.#onFire = onFire
    }

    /** Fires after `ms`, unless it fires earlier anyway. */
    setNoLaterThan(ms: number): void {
        if (monotonicMs() + ms < this.#firesAtMs) this.set(ms)
    }

    /** Fires after `ms`, whatever was set before. */
    set(ms: number): void {
        this.clear()
        // Timers cut fractions off, and one that fires early finds nothing to do.
        const waitMs = Math.min(Math.ceil(Math.max(ms, 0)), MAX_TIMER_MS)
        this.#firesAtMs = monotonicMs() + waitMs
        this.#timer = setTimeout(() => {
            this.clear()
            this.#onFire()
        }, waitMs)
    }

    clear(): void {
        clearTimeout(this.#timer)
        this.#timer = undefined
        this.#firesAtMs = Number.POSITIVE_INFINITY
    }
}
