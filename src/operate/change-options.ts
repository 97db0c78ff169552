import { InvalidOptionError } from "../errors.ts"
import { JOB_FILTERS, type ListJobsOptions, toJobQuery } from "../inspect/job-list.ts"
import { JOB_STATES, type JobState } from "../inspect/job-state.ts"
import { instant, jobPriority, knownOptions, nameText, oneOf, reasonText } from "../options.ts"
import type { ListSource, JobFilter as StoredFilter } from "../statements/list-jobs.ts"
import { type By, JOB_ACTIONS, type JobAction, type JobChange } from "./operation.ts"

/** Which jobs are meant: those that fit all that is given. What is left out does not matter. */
export type JobFilter = Omit<ListJobsOptions, "order" | "limit" | "after">

/** What is to be done to jobs, checked. */
export type CheckedChange =
    | { action: "replay" | "run-now" | "delete" }
    | { action: "cancel"; reason: string | null }
    | { action: "set-priority"; priority: number }
    | { action: "set-due-time"; dueAtMs: number }

/** What each action has besides its name. */
const DETAILS: Record<JobAction, readonly string[]> = {
    replay: [],
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
    const { reason, priority, dueAt } = given
    switch (action) {
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
    if (change.action === "cancel") return change.reason === null ? {} : { reason: change.reason }
    if (change.action === "set-priority") return { priority: change.priority }
    if (change.action === "set-due-time") return { dueAt: new Date(change.dueAtMs).toISOString() }
    return {}
}

/** The change that the audit log tells of. */
export function changeOf(kind: string, details: Record<string, unknown>): CheckedChange {
    const { dueAt } = details
    const given = typeof dueAt === "string" ? { dueAt: new Date(dueAt) } : details
    return checkedChange({ action: kind, ...given } as JobChange)
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
    return {
        source: isPast ? pastSource(action, state) : liveSource(state),
        filter: { ...stored, state: stored.state ?? meant.join(",") },
        startMs,
        isPast,
    }
}

function pastSource(action: JobAction, state: JobState | undefined): ListSource {
    if (action === "replay") return "replayable"
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

/** The filter that the audit log tells of. */
export function filterOf(target: Record<string, unknown>): JobFilter {
    const { createdAfter, createdBefore, ...rest } = target.filter as Record<string, unknown>
    return {
        ...rest,
        ...(typeof createdAfter === "string" ? { createdAfter: new Date(createdAfter) } : {}),
        ...(typeof createdBefore === "string" ? { createdBefore: new Date(createdBefore) } : {}),
    }
}
