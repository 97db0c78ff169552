import { Alarm, monotonicMs } from "../clock.ts"

/** Timers for deadlines further away than this are not set: the job will hardly run that long. */
export const FAR_MS = 60_000

/** Whatever runs until a deadline. */
interface Timed {
    /** The job has existed for too long. */
    timeOut(): void
    /** The attempt has run for too long. */
    timeOutAttempt(): void
}

/** When a run is over at the latest: the time of its job, and that of the attempt. */
export class Deadlines {
    readonly #timed: Timed
    readonly #jobMs: number
    readonly #attemptMs: number
    #alarm: Alarm | undefined

    constructor(
        timed: Timed,
        { jobMs, attemptMs = Number.POSITIVE_INFINITY }: { jobMs: number; attemptMs?: number },
    ) {
        this.#timed = timed
        this.#jobMs = jobMs
        this.#attemptMs = attemptMs
    }

    /** Sets a timer where the next deadline is no longer too far away for one. */
    watch(): void {
        const leftMs = Math.min(this.#jobMs, this.#attemptMs) - monotonicMs()
        if (leftMs >= FAR_MS) return
        this.#alarm ??= new Alarm(() => this.#check())
        this.#alarm.set(leftMs)
    }

    clear(): void {
        this.#alarm?.clear()
    }

    #check(): void {
        if (this.#jobMs <= monotonicMs()) this.#timed.timeOut()
        else if (this.#attemptMs <= monotonicMs()) this.#timed.timeOutAttempt()
        else this.watch()
    }
}
