/** A change of a zone's clock. */
export interface ClockChange {
    /** The first instant at which the new time is told. */
    readonly atMs: number
    /** What is added to the instant before and after. */
    readonly offsetBeforeMs: number
    readonly offsetAfterMs: number
}

const SECOND_MS = 1_000

/** What the clocks of a time zone show, by the rules that Node has. All in milliseconds since 1970. */
export class TimeZone {
    readonly #format: Intl.DateTimeFormat | undefined

    /** @throws RangeError when there is no such zone. */
    constructor(name: string) {
        const format = new Intl.DateTimeFormat("en-US", {
            timeZone: name,
            calendar: "gregory",
            hourCycle: "h23",
            year: "numeric",
            month: "numeric",
            day: "numeric",
            hour: "numeric",
            minute: "numeric",
            second: "numeric",
        })
        if (format.resolvedOptions().timeZone !== "UTC") this.#format = format
    }

    /** How far the zone's clocks are ahead of UTC at an instant. */
    offsetMs(instantMs: number): number {
        if (this.#format === undefined) return 0
        const parts = new Map<string, number>()
        for (const { type, value } of this.#format.formatToParts(instantMs)) parts.set(type, Number(value))
        const part = (type: string) => parts.get(type) ?? 0
        const wallMs = Date.UTC(
            part("year"),
            part("month") - 1,
            part("day"),
            part("hour"),
            part("minute"),
            part("second"),
        )
        return wallMs - Math.floor(instantMs / SECOND_MS) * SECOND_MS
    }

    /** The change of the clock after `fromMs` and up to `toMs`, where there is one; of several, one of them. */
    changeWithin(fromMs: number, toMs: number): ClockChange | undefined {
        const offsetBeforeMs = this.offsetMs(fromMs)
        const offsetAfterMs = this.offsetMs(toMs)
        if (offsetBeforeMs === offsetAfterMs) return undefined
        let [before, after] = [Math.floor(fromMs / SECOND_MS), Math.ceil(toMs / SECOND_MS)]
        while (after - before > 1) {
            const middle = Math.floor((before + after) / 2)
            if (this.offsetMs(middle * SECOND_MS) === offsetBeforeMs) before = middle
            else after = middle
        }
        return { atMs: after * SECOND_MS, offsetBeforeMs, offsetAfterMs }
    }
}
