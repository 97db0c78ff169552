import { replayRate } from "../dead-letter-options.ts"
import { InvalidOptionError } from "../errors.ts"
import { isOfPast, JOB_FILTERS, type ListJobsOptions, toJobQuery } from "../inspect/job-list.ts"
import { JOB_STATES, type JobState } from "../inspect/job-state.ts"
import { instant, jobPriority, knownOptions, nameText, oneOf, reasonText, wholeNumber } from "../options.ts"
import type { ListSource, JobFilter as StoredFilter } from "../statements/list-jobs.ts"
import { type By, JOB_ACTIONS, type JobAction, type JobChange } from "./operation.ts"

/** Which jobs are meant: those that fit all that is given. What is left out does not matter. */
export type JobFilter = Omit<ListJobsOptions, "order" | "limit" | "after">

/** What is to be done to jobs, checked. */
export type CheckedChange =
    | { action: "run-now" | "delete" }
    | { action: "replay"; ratePerSecond: number | null }
    | { action: "cancel"; reason: string | null }
    | { action: "set-priority"; priority: number }
    | { action: "set-due-time"; dueAtMs: number }

/** What each action has besides its name. */
const DETAILS: Record<JobAction, readonly string[]> = {
    replay: ["ratePerSecond"],
    cancel: ["reason"],
    "run-now": [],
    "set-priority": ["priority"],
    "set-due-time": ["dueAt"],
    delete: [],
}

/**
 * Checks what is to be done to jobs.
 *
 * @throws InvalidOptionError for what is unknown or out of its range.
 */
export function checkedChange(change: JobChange): CheckedChange {
    const { action: name, ...given } = (change ?? {}) as JobChange & Record<string, unknown>
    const action = oneOf("change.action", name, JOB_ACTIONS)
    knownOptions(action, given, DETAILS[action])
    const { reason, priority, dueAt, ratePerSecond } = given
    switch (action) {
        case "replay":
            return { action, ratePerSecond: ratePerSecond === undefined ? null : replayRate(ratePerSecond) }
        case "cancel":
            return { action, reason: reason === undefined ? null : reasonText("reason", reason) }
        case "set-priority":
            return { action, priority: jobPriority("priority", priority) }
        case "set-due-time":
            return { action, dueAtMs: instant("dueAt", dueAt).getTime() }
        default:
            return { action }
    }
}

/** What the audit log says of a change besides its action. */
export function detailsOf(change: CheckedChange): Record<string, unknown> {
    if (change.action === "replay")
        return change.ratePerSecond === null ? {} : { ratePerSecond: change.ratePerSecond }
    if (change.action === "cancel") return change.reason === null ? {} : { reason: change.reason }
    if (change.action === "set-priority") return { priority: change.priority }
    if (change.action === "set-due-time") return { dueAt: new Date(change.dueAtMs).toISOString() }
    return {}
}

/** The change that the audit log tells of. How many jobs it is for is no part of it. */
export function changeOf(kind: string, details: Record<string, unknown>): CheckedChange {
    const { dueAt, limit: _, ...rest } = details
    const given = typeof dueAt === "string" ? { ...rest, dueAt: new Date(dueAt) } : rest
    return checkedChange({ action: kind, ...given } as JobChange)
}

/** How many jobs to change at the most; as it is in the details of the audit log, too. */
export function checkedLimit({ limit = Number.MAX_SAFE_INTEGER }: { limit?: unknown }): number {
    return wholeNumber("limit", limit, Number.MAX_SAFE_INTEGER, 1)
}

/** Who asks; null when nobody is named. */
export function checkedBy(owner: string, options: By = {}): string | null {
    knownOptions(owner, options, ["by"])
    return byIn(options)
}

/** The same of options that have others besides. */
export function byIn({ by }: By): string | null {
    return by === undefined ? null : nameText("by", by)
}

/** In which states jobs are that an action is for, where a filter does not say; and which others a filter may say. */
const STATES: Record<JobAction, { meant: readonly JobState[]; allowed: readonly JobState[] }> = {
    replay: { meant: ["failed"], allowed: [] },
    cancel: { meant: ["ready", "delayed", "blocked", "running"], allowed: ["failing"] },
    "run-now": { meant: ["delayed"], allowed: [] },
    "set-priority": { meant: ["ready", "delayed", "blocked", "running"], allowed: [] },
    "set-due-time": { meant: ["ready", "delayed"], allowed: [] },
    delete: { meant: ["succeeded", "failed"], allowed: [] },
}

/** Where to look for the jobs of a filter that an action is for, in the order of their ids. */
export interface ChangeQuery {
    source: ListSource
    filter: StoredFilter
    /** The instant at which to begin; null for the first job. */
    startMs: number | null
    /** Whether they are finalized. */
    isPast: boolean
}

/**
 * Checks which jobs are meant.
 *
 * @throws InvalidOptionError for what is unknown or out of its range, and for a filter that no job fits which the action
 * is for.
 */
export function toChangeQuery(action: JobAction, filter: JobFilter): ChangeQuery {
    knownOptions("filter", filter, JOB_FILTERS)
    const { filter: stored, startMs } = toJobQuery({ ...filter, order: "oldest" })
    const { meant, allowed } = STATES[action]
    const isPast = action === "replay" || action === "delete"
    const { state } = filter
    if (state !== undefined && ![...meant, ...allowed].includes(state)) {
        const states = JOB_STATES.filter((one) => meant.includes(one)).join(", ")
        throw new InvalidOptionError({
            option: "state",
            message: `expected \`state\` to be one that \`${action}\` is for (${states}), got: ${state}`,
        })
    }
    if (isPast && stored.key !== null) {
        throw new InvalidOptionError({
            option: "key",
            message: `expected no \`key\` where the action is \`${action}\`: finalized jobs have none any more`,
        })
    }
    if (!isPast && isOfPast(stored)) {
        const option = ["reason", "finalizedAfter", "finalizedBefore"].find((name) => name in filter) ?? ""
        throw new InvalidOptionError({
            option,
            message: `expected no \`${option}\` where the action is \`${action}\`: live jobs have none yet`,
        })
    }
    return {
        source: isPast ? pastSource(action, filter) : liveSource(state),
        filter: { ...stored, state: stored.state ?? meant.join(",") },
        startMs,
        isPast,
    }
}

/** Whoever says for which reason jobs failed means those, whatever the reason. */
function pastSource(action: JobAction, { state, reason }: JobFilter): ListSource {
    if (action === "replay") return reason === undefined ? "replayable" : "retained"
    return state === "failed" ? "retained" : "finalized"
}

function liveSource(state: JobState | undefined): ListSource {
    return state === "running" || state === "failing" ? state : "live"
}

/** A filter as the audit log keeps it: without what was not given, and with instants as ISO texts. */
export function storedFilter(filter: JobFilter): Record<string, unknown> {
    return Object.fromEntries(
        JOB_FILTERS.map((name) => [name, filter[name as keyof JobFilter]]).filter(
            ([, value]) => value !== undefined,
        ),
    )
}

/** Those that are instants. */
const INSTANTS = ["createdAfter", "createdBefore", "finalizedAfter", "finalizedBefore"]

/** The filter that the audit log tells of. */
export function filterOf(target: Record<string, unknown>): JobFilter {
    const filter = { ...(target.filter as Record<string, unknown>) }
    for (const name of INSTANTS) {
        const text = filter[name]
        if (typeof text === "string") filter[name] = new Date(text)
    }
    return filter
}
