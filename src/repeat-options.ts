import { type Cron, CronRule } from "./cron/cron-rule.ts"
import type { OnMissed, OnOverlap } from "./cron/plan-ticks.ts"
import { InvalidOptionError } from "./errors.ts"
import { oneOf, positiveMs } from "./options.ts"

/** When something repeats, by a cron expression and the clocks of a time zone. */
export interface CronOptions {
    /**
     * Minute, hour, day of the month, month and day of the week, such as `30 9 * * MON-FRI`, with seconds before them if
     * there are six fields; or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`. At most 255 characters. Where both
     * days are restricted, either will do; with `+` before the day of the week, both must fit.
     */
    expression: string
    /**
     * The IANA name of the time zone whose clocks are meant, such as `Europe/Berlin`. When they are set forward or back,
     * an expression that names certain hours falls due once for each time that it names: one that is skipped when the
     * clocks are set forward, one that comes twice the first time. One that names all hours falls due whenever the clocks
     * show what it names. Default `UTC`.
     */
    timeZone?: string
}

const MAX_EXPRESSION_LENGTH = 255

/** Five or six fields, or a name for them. What else croner reads, such as a date, is no expression. */
const FIELDS = /^(@(hourly|daily|midnight|weekly|monthly|yearly|annually)|[\w*?,/#+-]+( [\w*?,/#+-]+){4,5})$/i

/** Where the search for a first time starts: it must not depend on when it is asked. */
const SOME_DAY_MS = Date.UTC(2000, 0, 1)

/** Checks a cron expression and its time zone. */
export function cronOption(option: string, value: unknown): Cron {
    const { expression, timeZone } = fieldsOf(option, value)
    if (typeof expression !== "string" || expression.length > MAX_EXPRESSION_LENGTH)
        refuse(option, `an \`expression\` of at most ${MAX_EXPRESSION_LENGTH} characters`)
    const cron = {
        expression: expression.trim().replaceAll(/\s+/g, " "),
        timeZone: zoneOption(option, timeZone),
    }
    const example = "of five or six fields, such as `30 9 * * MON-FRI`"
    if (!FIELDS.test(cron.expression)) refuse(option, `an \`expression\` ${example}`)
    let firstMs: number | undefined
    try {
        firstMs = new CronRule(cron).after(SOME_DAY_MS)
    } catch (error) {
        refuse(option, `an \`expression\` ${example} (${error instanceof Error ? error.message : error})`)
    }
    if (firstMs === undefined) refuse(option, "an `expression` that names a time that comes")
    return cron
}

function fieldsOf(option: string, value: unknown): { expression: unknown; timeZone: unknown } {
    const expected = 'an object such as { expression: "30 9 * * MON-FRI", timeZone: "Europe/Berlin" }'
    if (typeof value !== "object" || value === null) refuse(option, expected)
    try {
        const names = Object.keys(value)
        const { expression, timeZone = "UTC" } = value as Record<string, unknown>
        if (names.every((name) => name === "expression" || name === "timeZone"))
            return { expression, timeZone }
    } catch {
        // A proxy may throw whatever it is asked.
    }
    refuse(option, expected)
}

function zoneOption(option: string, value: unknown): string {
    const expected = "a `timeZone` that Node knows, such as `Europe/Berlin`"
    // Newer releases of Node take offsets too, which others in the fleet might not know.
    if (typeof value !== "string" || !/^[A-Za-z]/.test(value)) refuse(option, expected)
    try {
        new Intl.DateTimeFormat("en-US", { timeZone: value })
        return value
    } catch {
        refuse(option, expected)
    }
}

function refuse(option: string, expected: string): never {
    throw new InvalidOptionError({ option, message: `expected \`${option}\` to be or to have ${expected}` })
}

/** Checks what is to become of missed ticks. */
export function onMissedOption(value: unknown): OnMissed {
    return oneOf("onMissed", value, ["skip", "once", "all"])
}

/** Checks what is to become of ticks that come while an earlier job is not finalized. */
export function onOverlapOption(value: unknown): OnOverlap {
    return oneOf("onOverlap", value, ["queue", "skip"])
}

/** What a definition says of how it repeats. */
interface Repetition {
    repeatIntervalMs?: number | null
    repeatCron?: CronOptions | null
    onMissed?: OnMissed
    onOverlap?: OnOverlap
}

/** Checks how a definition repeats: by an interval, by a cron expression, or not at all. */
export function toRepetition(
    { repeatIntervalMs = null, repeatCron = null, onMissed, onOverlap }: Repetition,
    defaults: { onMissed: OnMissed; onOverlap: OnOverlap },
) {
    if (repeatIntervalMs !== null && repeatCron !== null) {
        throw new InvalidOptionError({
            option: "repeatCron",
            message: "expected `repeatIntervalMs` or `repeatCron`, got both",
        })
    }
    return {
        repeatIntervalMs: repeatIntervalMs === null ? null : positiveMs("repeatIntervalMs", repeatIntervalMs),
        repeatCron: repeatCron === null ? null : Object.freeze(cronOption("repeatCron", repeatCron)),
        onMissed: onMissedOption(onMissed ?? defaults.onMissed),
        onOverlap: onOverlapOption(onOverlap ?? defaults.onOverlap),
    }
}
