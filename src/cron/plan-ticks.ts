import type { CronRule } from "./cron-rule.ts"

/** What becomes of ticks that passed while no orchestrator ran. */
export type OnMissed = "skip" | "once" | "all"

/** What becomes of a tick that comes while a job of the same schedule is not finalized. */
export type OnOverlap = "queue" | "skip"

/** A tick is missed when it is so late, or when one after it has come too. */
export const MISSED_AFTER_MS = 60_000

/** The most jobs that a schedule gets at a time; the rest follows at once. */
export const MAX_TICKS = 100

/** What to do about a schedule that is due. Instants are milliseconds since 1970. */
export interface TickPlan {
    /** The ticks that get a job each. */
    readonly dueMs: readonly number[]
    /** The next tick. */
    readonly followingMs: number
}

/**
 * Decides which of the ticks from `tickMs` to `nowMs` get a job, and which tick is next. Both instants come from the
 * database. A schedule that has lost its tick gets one.
 *
 * @throws RangeError when nothing follows, which expressions that passed the check do not bring about.
 */
export function planTicks(params: {
    rule: CronRule
    tickMs: number | null
    nowMs: number
    onMissed: OnMissed
}): TickPlan {
    const { rule, tickMs, nowMs, onMissed } = params
    if (tickMs === null) return { dueMs: [], followingMs: following(rule, nowMs) }
    if (onMissed === "all") return planAll({ rule, tickMs, nowMs })
    const lastMs = rule.last({ afterMs: tickMs, untilMs: nowMs }) ?? tickMs
    const isDue = onMissed === "once" || nowMs - lastMs <= MISSED_AFTER_MS
    return { dueMs: isDue ? [lastMs] : [], followingMs: following(rule, nowMs) }
}

function planAll(params: { rule: CronRule; tickMs: number; nowMs: number }): TickPlan {
    const dueMs: number[] = []
    let tickMs = params.tickMs
    while (tickMs <= params.nowMs && dueMs.length < MAX_TICKS) {
        dueMs.push(tickMs)
        tickMs = following(params.rule, tickMs)
    }
    return { dueMs, followingMs: tickMs }
}

function following(rule: CronRule, instantMs: number): number {
    const ms = rule.after(instantMs)
    if (ms === undefined) throw new RangeError("the cron expression names no time that will come")
    return ms
}
