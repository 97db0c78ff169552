import { CronExpression, namesEveryHour } from "./cron-expression.ts"
import { type ClockChange, TimeZone } from "./time-zone.ts"

/** A cron expression, and the zone whose clocks it means. */
export interface Cron {
    readonly expression: string
    readonly timeZone: string
}

const SECOND_MS = 1_000
const DAY_MS = 86_400_000

/** No clock differs from UTC by more, and none was ever changed by more. */
const MAX_OFFSET_MS = DAY_MS

/**
 * The instants at which a cron expression falls due in a time zone, where clocks are set forward and back:
 *
 * - An expression that names certain hours falls due once for each wall-clock time that it names. One that is skipped
 *   falls due when the clock is set forward, together with all others that are skipped then. One that comes twice falls
 *   due the first time.
 * - An expression that names all hours falls due whenever the clock shows a time that it names: never at one that is
 *   skipped, and twice at one that comes twice. So one for each minute goes on minute by minute.
 *
 * A pure function of the instant that is asked about: who asks from a later one gets the same answers.
 */
export class CronRule {
    readonly #expression: CronExpression
    readonly #zone: TimeZone
    readonly #isForEveryHour: boolean

    /** @throws what croner, or Intl for the zone, says about what it cannot read. */
    constructor({ expression, timeZone }: Cron) {
        this.#expression = new CronExpression(expression)
        this.#zone = new TimeZone(timeZone)
        this.#isForEveryHour = namesEveryHour(expression)
    }

    /** The first instant after `instantMs`; undefined where none is. Both in milliseconds since 1970. */
    after(instantMs: number): number | undefined {
        // Nothing falls due within a second.
        const fromMs = Math.floor(instantMs / SECOND_MS) * SECOND_MS
        return this.#isForEveryHour ? this.#whenShown(fromMs) : this.#onceEach(fromMs)
    }

    /** The last instant up to `untilMs` that is after `afterMs`; undefined where none is. */
    last(params: { afterMs: number; untilMs: number }): number | undefined {
        const isBefore = (secondsFrom: number) =>
            (this.after(secondsFrom * SECOND_MS) ?? Number.POSITIVE_INFINITY) <= params.untilMs
        let [before, notBefore] = [
            Math.floor(params.afterMs / SECOND_MS),
            Math.floor(params.untilMs / SECOND_MS) + 1,
        ]
        if (!isBefore(before)) return undefined
        while (notBefore - before > 1) {
            const middle = Math.floor((before + notBefore) / 2)
            if (isBefore(middle)) before = middle
            else notBefore = middle
        }
        const lastMs = this.after(before * SECOND_MS)
        return lastMs !== undefined && lastMs > params.afterMs ? lastMs : undefined
    }

    /** Each named time once. Later times fall due later, or at the same instant, so the first one will do. */
    #onceEach(instantMs: number): number | undefined {
        const offsetMs = this.#zone.offsetMs(instantMs)
        const change = this.#zone.changeWithin(instantMs - MAX_OFFSET_MS, instantMs)
        let shownMs = instantMs + offsetMs
        // Set back a short while ago: all up to where that was have been shown before.
        if (change !== undefined && change.offsetBeforeMs > change.offsetAfterMs)
            shownMs = Math.max(shownMs, change.atMs + change.offsetBeforeMs - 1)
        const wallMs = this.#expression.after(shownMs)
        return wallMs === undefined ? undefined : this.#instantOf(wallMs)
    }

    /** When a time is shown first, or would have been. */
    #instantOf(wallMs: number): number {
        const change = this.#zone.changeWithin(wallMs - 2 * MAX_OFFSET_MS, wallMs + 2 * MAX_OFFSET_MS)
        if (change === undefined) return wallMs - this.#zone.offsetMs(wallMs)
        const beforeMs = wallMs - change.offsetBeforeMs
        if (beforeMs < change.atMs) return beforeMs
        return Math.max(change.atMs, wallMs - change.offsetAfterMs)
    }

    /** Each time that it is shown. Goes from one change of the clock to the next. */
    #whenShown(instantMs: number): number | undefined {
        let [fromMs, offsetMs] = [instantMs, this.#zone.offsetMs(instantMs)]
        for (;;) {
            const wallMs = this.#expression.after(fromMs + offsetMs)
            if (wallMs === undefined) return undefined
            const foundMs = wallMs - offsetMs
            // What is named next is far away, so nothing falls due in between but where the clock is set back.
            const untilMs = Math.min(foundMs, fromMs + 2 * MAX_OFFSET_MS)
            const change = this.#changeAfter(fromMs, untilMs, offsetMs)
            if (change !== undefined) {
                ;[fromMs, offsetMs] = [change.atMs - 1, change.offsetAfterMs]
            } else if (untilMs === foundMs) {
                return foundMs
            } else {
                fromMs = Math.max(untilMs, foundMs - 2 * MAX_OFFSET_MS)
                offsetMs = this.#zone.offsetMs(fromMs)
            }
        }
    }

    #changeAfter(fromMs: number, untilMs: number, offsetMs: number): ClockChange | undefined {
        // The instant before a change already has the offset after it, once we have come to it.
        if (this.#zone.offsetMs(untilMs) === offsetMs) return undefined
        return this.#zone.changeWithin(fromMs + 1, untilMs)
    }
}
