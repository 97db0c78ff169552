import type { OnMissed, OnOverlap } from "../cron/plan-ticks.ts"
import type { DaemonRow } from "../statements/daemons.ts"
import type { InspectedDefinition } from "../statements/inspect-definitions.ts"
import { dateOrNull } from "./job-state.ts"

/** The limits of a definition, as the process that wrote it down last has them. Each worker goes by its own. */
export interface DefinitionLimits {
    /** `concurrencyLimit`: how many jobs run at the same time, of the definition, or of each key where it is keyed. */
    concurrency: { max: number; isKeyed: boolean } | null
    /** `rateLimit`: how many are taken within any `perMs` milliseconds. */
    rate: { max: number; perMs: number; isKeyed: boolean } | null
    /** `group`: whether its jobs run one after the other. */
    group: { isOrdered: boolean } | null
}

/** When a definition repeats. */
export interface DefinitionRepeat {
    /** Every so many milliseconds; null for one with a cron expression. */
    intervalMs: number | null
    /** The cron expression; null for one with an interval. */
    cron: { expression: string; timeZone: string } | null
    /** What becomes of ticks that were missed. */
    onMissed: OnMissed
    /** What becomes of ticks that come too early. */
    onOverlap: OnOverlap
    /** The next tick; null when there is none. */
    nextAt: Date | null
}

/** A definition, as it is in the database. */
export interface DefinitionInfo {
    /** Its name. */
    name: string
    /** Its channel. */
    channel: string
    /** How often a job is attempted again after an attempt failed. */
    numAttempts: number
    /** The priority of its jobs. */
    priority: number
    /** Milliseconds after which a job that is not finalized times out. */
    timeoutIntervalMs: number
    /** The length of the leases that its jobs are claimed under, in milliseconds. */
    lockIntervalMs: number
    /** The least milliseconds between two jobs; 0 for no limit. */
    releaseIntervalMs: number
    /** Its limits; null where it has none, or was written down by a release that did not say. */
    limits: DefinitionLimits | null
    /** When it repeats; null where it does not. Schedules that are made at run time are in `config.schedules`. */
    repeat: DefinitionRepeat | null
    /** How long jobs that succeeded are kept, in milliseconds; null for as long as the orchestrators say. */
    keepSucceededMs: number | null
    /** The same for jobs that failed. */
    keepFailedMs: number | null
    /** Whether it is paused, by itself, with its channel, or with everything; `config.pauses()` says why. */
    isPaused: boolean
    /** How many of its keys are paused. */
    numPausedKeys: number
    /** When a daemon vouched for it last. */
    heartbeatAt: Date
    /** When it was written down. */
    createdAt: Date
    /** When it was found stale; null when it was not. It is removed when its history is gone. */
    retiredAt: Date | null
    /** The live workers that run its jobs. */
    workers: { id: string; name: string; host: string; pid: number }[]
}

/** Makes of a row, and of all daemons, what is told of a definition. */
export function toDefinitionInfo(row: InspectedDefinition, daemons: readonly DaemonRow[]): DefinitionInfo {
    const { name, channel } = row
    const workers = daemons.filter(
        (daemon) => daemon.isLive && daemon.channel === channel && daemon.definitionNames.includes(name),
    )
    return {
        name,
        channel,
        numAttempts: row.numAttempts,
        priority: row.priority,
        timeoutIntervalMs: row.timeoutIntervalMs,
        lockIntervalMs: row.lockIntervalMs,
        releaseIntervalMs: row.releaseIntervalMs,
        limits: row.limits,
        repeat: toRepeat(row),
        keepSucceededMs: row.keepSucceededMs,
        keepFailedMs: row.keepFailedMs,
        isPaused: row.isPaused,
        numPausedKeys: row.numPausedKeys,
        heartbeatAt: new Date(row.heartbeatAtMs),
        createdAt: new Date(row.createdAtMs),
        retiredAt: dateOrNull(row.retiredAtMs),
        workers: workers.map((daemon) => ({
            id: daemon.id,
            name: daemon.name,
            host: daemon.host,
            pid: daemon.pid,
        })),
    }
}

function toRepeat(row: InspectedDefinition): DefinitionRepeat | null {
    const { repeatIntervalMs: intervalMs, repeatCron: expression, repeatTimeZone } = row
    if (intervalMs === null && expression === null) return null
    return {
        intervalMs,
        cron: expression === null ? null : { expression, timeZone: repeatTimeZone ?? "UTC" },
        onMissed: row.onMissed as OnMissed,
        onOverlap: row.onOverlap as OnOverlap,
        nextAt: dateOrNull(row.nextRepeatAtMs),
    }
}
