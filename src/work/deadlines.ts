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
    /** Made when it is set: most runs have no deadline that is near, and there are thousands of them a second. */
    #alarm: Alarm | undefined
    #attemptMs = Number.POSITIVE_INFINITY

    constructor(timed: Timed, jobMs: number) {
        this.#timed = timed
        this.#jobMs = jobMs
    }

    /** Whether the job's time is up. */
    get isJobOver(): boolean {
        return this.#jobMs <= monotonicMs()
    }

    /** The attempt begins, and may take so many milliseconds. */
    begin(attemptTimeoutMs: number | null): void {
        if (attemptTimeoutMs !== null) this.#attemptMs = monotonicMs() + attemptTimeoutMs
        this.watch()
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
        if (this.isJobOver) this.#timed.timeOut()
        else if (this.#attemptMs <= monotonicMs()) this.#timed.timeOutAttempt()
        else this.watch()
    }
}
