import { InvalidOptionError } from "../errors.ts"
import { instant, knownOptions, nameText, wholeNumber } from "../options.ts"
import type { ThroughputQuery } from "../statements/read-throughput.ts"
import { MINUTES_READ_MS } from "../statements/throughput-rows.ts"

/** Of which jobs to read the throughput, and when. */
export interface ThroughputOptions {
    /** The name of a definition. Default: all of them. */
    definition?: string
    /** The channel of definitions, as they were last written down. Default: all of them. */
    channel?: string
    /** The instant that the first point contains. */
    from: Date
    /** Where the last point ends, or a little later: the instant that follows what is asked for. After `from`. */
    until: Date
    /**
     * Milliseconds from one point to the next: a whole number of minutes; a whole number of hours where the first point
     * begins more than 25 hours ago, since counts are kept by the minute for that long, and by the hour for 30 days. Points
     * begin at whole multiples of it since 1970 UTC, and there may be 2,000.
     */
    stepMs: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const MAX_STEP_MS = 366 * 24 * HOUR_MS
const MAX_POINTS = 2_000

/** Checks what is asked for, and widens it to whole steps. */
export function toThroughputQuery(options: ThroughputOptions): ThroughputQuery {
    knownOptions("throughput", options, ["definition", "channel", "from", "until", "stepMs"])
    const { definition, channel } = options
    const from = instant("from", options.from).getTime()
    const until = instant("until", options.until).getTime()
    if (until <= from) refuse("until", "to be after `from`")
    const stepMs = wholeNumber("stepMs", options.stepMs, MAX_STEP_MS, MINUTE_MS)
    if (stepMs % MINUTE_MS !== 0) refuse("stepMs", "to be a whole number of minutes")
    const fromMs = Math.floor(from / stepMs) * stepMs
    const untilMs = Math.ceil(until / stepMs) * stepMs
    if (Date.now() - fromMs > MINUTES_READ_MS && stepMs % HOUR_MS !== 0)
        refuse("stepMs", "to be a whole number of hours, since the first point begins more than 25 hours ago")
    if ((untilMs - fromMs) / stepMs > MAX_POINTS)
        refuse("stepMs", `to make no more than ${MAX_POINTS} points from \`from\` until \`until\``)
    return {
        definition: definition === undefined ? null : nameText("definition", definition),
        channel: channel === undefined ? null : nameText("channel", channel),
        fromMs,
        untilMs,
        stepMs,
    }
}

function refuse(option: string, expectation: string): never {
    throw new InvalidOptionError({ option, message: `expected \`${option}\` ${expectation}` })
}
