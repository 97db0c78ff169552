import type { CronRules } from "./cron/cron-rules.ts"
import type { OnMissed, OnOverlap } from "./cron/plan-ticks.ts"
import type { SqlClient } from "./db/client.ts"
import { InvalidOptionError } from "./errors.ts"
import { positiveMs } from "./options.ts"
import { type CronOptions, cronOption } from "./repeat-options.ts"
import type { ScheduleRow, ScheduleRule } from "./statements/schedules.ts"

/** What a schedule needs of the definition of its jobs: a `JobDefinition` that takes this payload. */
export interface SchedulableDefinition<Payload extends object> {
    /** The definition's name. */
    readonly name: string
    /** As `JobDefinition` has it. */
    defer(options: { payload: Payload }): Promise<number>
}

/** Whose transaction to work on schedules in. */
export interface ScheduleClientOptions {
    /**
     * A client that is inside a transaction: what is done is done if and when the transaction commits. Anything with
     * `query(text, values)`, such as a `pg` client or a PGlite transaction. Orchestrators and workers notice when they
     * look next.
     */
    client?: SqlClient
}

/** When a schedule falls due. */
export interface ScheduleRuleOptions {
    /**
     * A job every so many milliseconds, on a fixed grid that starts when the schedule is first seen, which is its first
     * tick. Not together with `cron`; one of the two is required.
     */
    intervalMs?: number
    /** A job whenever a cron expression falls due. Not together with `intervalMs`; one of the two is required. */
    cron?: CronOptions
}

/** What a schedule is made of. */
export interface ScheduleOptions<Payload extends object> extends ScheduleRuleOptions, ScheduleClientOptions {
    /** The schedule's name, of 1 to 255 characters: there is one schedule of a name in a queue. */
    name: string
    /** What its jobs are. */
    definition: SchedulableDefinition<Payload>
    /** What the job function is called with each time. Whatever JSON carries faithfully, at most `maxPayloadBytes`. */
    payload: NoInfer<Payload>
    /** What becomes of ticks that passed while no orchestrator ran; see `JobDefinitionOptions`. Default `once`. */
    onMissed?: OnMissed
    /**
     * What becomes of a tick that comes while an earlier job of the schedule is not finalized: `queue` defers its job all
     * the same, `skip` leaves it out. Default `queue`.
     */
    onOverlap?: OnOverlap
}

/** What to show the next times of. */
export interface PreviewOptions extends ScheduleRuleOptions {
    /** How many instants, at most 1,000. Default 10. */
    count?: number
    /** Where to begin: a cron expression's next time after it, an interval's first tick at it. Default: now. */
    from?: Date
}

/** The defaults of `ScheduleOptions`. */
export const SCHEDULE_DEFAULTS = Object.freeze({ onMissed: "once", onOverlap: "queue" })

/** A schedule as it is in the database. */
export interface Schedule {
    name: string
    /** The name of its jobs' definition. */
    definition: string
    payload: unknown
    /** Null if a cron expression says when. */
    intervalMs: number | null
    /** Null if an interval says when. */
    cron: { expression: string; timeZone: string } | null
    onMissed: OnMissed
    onOverlap: OnOverlap
    isPaused: boolean
    /** The next tick; null while the schedule is paused. In the past if no orchestrator runs. */
    nextAt: Date | null
    /** The job of the last tick that had one, or of `runNow`; null before the first. */
    lastJobID: number | null
    createdAt: Date
    /** When it was last written by `upsert`. */
    updatedAt: Date
}

/** Checks that there is one rule, and only one. */
export function ruleOption({ intervalMs, cron }: ScheduleRuleOptions): ScheduleRule {
    if (intervalMs !== undefined && cron !== undefined) refuse("got both")
    if (cron !== undefined) return { intervalMs: null, cron: cronOption("cron", cron) }
    if (intervalMs === undefined) refuse("got neither")
    return { intervalMs: positiveMs("intervalMs", intervalMs), cron: null }
}

function refuse(got: string): never {
    throw new InvalidOptionError({
        option: "intervalMs",
        message: `expected \`intervalMs\` or \`cron\`, ${got}`,
    })
}

/** Instants of a rule, from a tick of it on. */
export function timesOf(params: {
    rule: ScheduleRule
    rules: CronRules
    tickMs: number
    count: number
}): Date[] {
    const { rule, rules, count } = params
    const times: Date[] = []
    let tickMs: number | undefined = params.tickMs
    while (tickMs !== undefined && times.length < count) {
        times.push(new Date(tickMs))
        tickMs =
            rule.cron === null
                ? params.tickMs + times.length * rule.intervalMs
                : rules.read(rule.cron).after(tickMs)
    }
    return times
}

/** A schedule as it is shown. */
export function toSchedule(row: ScheduleRow): Schedule {
    const { rule, nextAtMs, createdAtMs, updatedAtMs, isPaused } = row
    return {
        name: row.name,
        definition: row.definition,
        payload: JSON.parse(row.payload),
        intervalMs: rule.intervalMs,
        cron: rule.cron,
        onMissed: row.onMissed,
        onOverlap: row.onOverlap,
        isPaused,
        nextAt: isPaused ? null : new Date(nextAtMs),
        lastJobID: row.lastJobID,
        createdAt: new Date(createdAtMs),
        updatedAt: new Date(updatedAtMs),
    }
}
