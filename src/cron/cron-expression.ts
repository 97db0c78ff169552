import { Cron } from "croner"

const DAY_MS = 86_400_000

/**
 * The wall-clock times that a cron expression names, as milliseconds since 1970 on a clock without a time zone. What
 * instants they are in a zone is said in `cron-rule.ts`: croner's own answer leaves out a whole day when a list of
 * minutes is within the hour that is skipped, and might change with its release.
 */
export class CronExpression {
    readonly #cron: Cron

    /** @throws what croner says about an expression that it cannot read. */
    constructor(expression: string) {
        // Without a field for years, what has come once comes again. Dates, which croner takes too, have no such fields.
        this.#cron = new Cron(expression, { utcOffset: 0, mode: "5-or-6-parts" })
    }

    /** The first time named after `wallMs`; undefined where none is, such as for 31 February. */
    after(wallMs: number): number | undefined {
        return this.#cron.nextRun(new Date(wallMs))?.getTime()
    }
}

/** Whether an expression names all hours of a day, however it is spelt. */
export function namesEveryHour(expression: string): boolean {
    const fields = expression.trim().split(/\s+/)
    if (fields.length === 1) return fields[0]?.toLowerCase() === "@hourly"
    const hours = new CronExpression(`0 ${fields.at(-4)} * * *`)
    let numHours = 0
    for (let wallMs = hours.after(-1); wallMs !== undefined && wallMs < DAY_MS; wallMs = hours.after(wallMs))
        numHours += 1
    return numHours === 24
}
