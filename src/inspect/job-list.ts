import { InvalidOptionError, InvalidPayloadError } from "../errors.ts"
import { FAILURE_REASONS, type FailureReason } from "../events.ts"
import { keysOf } from "../gate.ts"
import { instant, keyText, knownOptions, nameText, oneOf, someText, wholeNumber } from "../options.ts"
import { encodePayload } from "../payload.ts"
import type { JobFilter, ListedRow, ListSource } from "../statements/list-jobs.ts"
import { dateOrNull, JOB_STATES, type JobKeys, type JobState, toJobState } from "./job-state.ts"

/** Which jobs to list. What is left out does not matter. */
export interface ListJobsOptions {
    /** What state they are in. `running`, `failing` and `failed` are found at once, whatever else there is. */
    state?: JobState
    /** The name of their definition. */
    definition?: string
    /** Their definition's channel. */
    channel?: string
    /**
     * A key that they were deferred with, whatever it is for: `group`, `concurrencyLimit` or `rateLimit`. Finalized jobs
     * have none any more, so only live ones are listed.
     */
    key?: string
    /** Those that were deferred at this instant or later. */
    createdAfter?: Date
    /** Those that were deferred before this instant. */
    createdBefore?: Date
    /** A part of the message of the last attempt's error, in the same letters. */
    errorText?: string
    /**
     * What their payloads contain, as `@>` of `jsonb` has it: each property that is given here, with the same value;
     * objects within may have more properties, and arrays more items.
     */
    payload?: object
    /** Why they failed. Only finalized jobs have failed for good, so only those are listed. */
    reason?: FailureReason
    /** Those that were finalized at this instant or later; live ones are not listed. */
    finalizedAfter?: Date
    /** Those that were finalized before this instant; live ones are not listed. */
    finalizedBefore?: Date
    /** Whether the newest or the oldest come first, by when they were deferred. Default `newest`. */
    order?: "newest" | "oldest"
    /** How many at the most: 1 to 100. Default 50. */
    limit?: number
    /** Where to go on: `next` of the page before. Default: at the beginning. */
    after?: string
}

/** A job in a list. `Inspector#job` has its payload, its result, and all its errors. */
export interface ListedJob {
    /** The id that `defer` returned. */
    jobID: number
    /** The name of its definition. */
    definition: string
    /** Its definition's channel. */
    channel: string
    /** What state it is in. */
    state: JobState
    /** Those with the smaller number are taken first. */
    priority: number
    /** How many attempts were charged. */
    numAttemptsUsed: number
    /** When it was deferred. */
    createdAt: Date
    /** When it is or was due: of one that waits for another attempt, when that is. */
    dueAt: Date
    /** When it was taken from the queue last; null when it never was. */
    claimedAt: Date | null
    /** When it was finalized; null when it is not. */
    finalizedAt: Date | null
    /** The worker that has it, or ended it; null when none does or did. */
    worker: string | null
    /** Why it failed; null when it did not. */
    reason: FailureReason | null
    /** The message of what was thrown last, up to 1,000 characters; null when nothing was. */
    errorMessage: string | null
    /** Whether it runs, and is being cancelled. */
    isCancelRequested: boolean
    /** Its keys. */
    keys: JobKeys
}

/** A page of jobs. */
export interface JobPage {
    /** Those that were found. There may be fewer than `limit`, or none, and more behind `next`. */
    jobs: ListedJob[]
    /** What to give as `after` for those that follow; null when there are none. */
    next: string | null
}

/** The defaults of `ListJobsOptions`. */
export const LIST_JOBS_DEFAULTS = Object.freeze({ order: "newest", limit: 50 })

/** What jobs can be looked for by. */
export const JOB_FILTERS = [
    "state",
    "definition",
    "channel",
    "key",
    "createdAfter",
    "createdBefore",
    "errorText",
    "payload",
    "reason",
    "finalizedAfter",
    "finalizedBefore",
]

const OPTIONS = [...JOB_FILTERS, "order", "limit", "after"]
const MAX_LIMIT = 100
const MAX_PAYLOAD_BYTES = 64 * 1024

/** No id is larger. */
const LAST_ID = Number.MAX_SAFE_INTEGER

/** A list, as its options ask for it. */
export interface JobQuery {
    sources: ListSource[]
    order: "asc" | "desc"
    /** The list begins behind this id, or, where `startMs` is given, at the jobs that were deferred then. */
    afterID: number
    startMs: number | null
    filter: JobFilter
    limit: number
    /** Whether jobs are looked through for those that fit. */
    isFiltered: boolean
}

/**
 * Checks which jobs are asked for.
 *
 * @throws InvalidOptionError for what is unknown or out of its range.
 */
export function toJobQuery(options: ListJobsOptions): JobQuery {
    knownOptions("jobs", options, OPTIONS)
    const wanted = options.state === undefined ? null : oneOf("state", options.state, JOB_STATES)
    const order =
        oneOf("order", options.order ?? LIST_JOBS_DEFAULTS.order, ["newest", "oldest"] as const) === "newest"
            ? "desc"
            : "asc"
    const filter = filterOf(options, wanted)
    return {
        sources: sourcesOf(wanted).filter((source) =>
            isHistory(source) ? filter.key === null : !isOfPast(filter),
        ),
        order,
        afterID: placeOf(options.after, order),
        startMs: options.after === undefined ? startOf(filter, order) : null,
        filter,
        limit: wholeNumber("limit", options.limit ?? LIST_JOBS_DEFAULTS.limit, MAX_LIMIT, 1),
        isFiltered: Object.values(filter).some((value) => value !== null),
    }
}

function filterOf(options: ListJobsOptions, state: JobState | null): JobFilter {
    const { definition, channel, key, createdAfter, createdBefore, errorText, payload } = options
    const { reason, finalizedAfter, finalizedBefore } = options
    const timeOf = (name: string, value: Date | undefined) =>
        value === undefined ? null : instant(name, value).getTime()
    return {
        definition: definition === undefined ? null : nameText("definition", definition),
        channel: channel === undefined ? null : nameText("channel", channel),
        state: state === "failing" ? "unmet,exhausted" : state,
        key: key === undefined ? null : keyText("key", key),
        createdAfterMs: timeOf("createdAfter", createdAfter),
        createdBeforeMs: timeOf("createdBefore", createdBefore),
        errorText: errorText === undefined ? null : someText("errorText", errorText),
        payload: payload === undefined ? null : partOfPayload(payload),
        reason: reason === undefined ? null : oneOf("reason", reason, FAILURE_REASONS),
        finalizedAfterMs: timeOf("finalizedAfter", finalizedAfter),
        finalizedBeforeMs: timeOf("finalizedBefore", finalizedBefore),
    }
}

/** Whether what a filter asks for is true of finalized jobs only. */
export function isOfPast({ reason, finalizedAfterMs, finalizedBeforeMs }: JobFilter): boolean {
    return reason !== null || finalizedAfterMs !== null || finalizedBeforeMs !== null
}

function sourcesOf(state: JobState | null): ListSource[] {
    if (state === null) return ["live", "finalized"]
    if (state === "running" || state === "failing" || state === "failed") return [state]
    return [state === "succeeded" ? "finalized" : "live"]
}

function isHistory(source: ListSource): boolean {
    return source === "finalized" || source === "failed"
}

function partOfPayload(payload: object): string {
    try {
        return encodePayload({ definition: "", payload, maxBytes: MAX_PAYLOAD_BYTES })
    } catch (error) {
        const path = error instanceof InvalidPayloadError ? error.path : "payload"
        throw new InvalidOptionError({
            option: "payload",
            message: `expected \`payload\` to be what JSON carries faithfully, in up to 64 KiB; see \`${path}\``,
        })
    }
}

/**
 * Ids are in the order in which jobs were deferred, but for those that were being inserted at the same time: by so much the
 * instants may differ from that.
 */
const SLACK_MS = 5_000

/** The instant at which a list begins; null for the first or the last job. */
function startOf(filter: JobFilter, order: "asc" | "desc"): number | null {
    if (order === "asc") return filter.createdAfterMs === null ? null : filter.createdAfterMs - SLACK_MS
    return filter.createdBeforeMs === null ? null : filter.createdBeforeMs + SLACK_MS
}

/** Whether a list that has come to a job has left its range of time behind. */
export function isBeyond(filter: JobFilter, order: "asc" | "desc", createdAtMs: number): boolean {
    return order === "asc"
        ? filter.createdBeforeMs !== null && createdAtMs > filter.createdBeforeMs + SLACK_MS
        : filter.createdAfterMs !== null && createdAtMs < filter.createdAfterMs - SLACK_MS
}

/** Where a list goes on, or begins. */
function placeOf(after: unknown, order: "asc" | "desc"): number {
    if (after === undefined) return order === "asc" ? 0 : LAST_ID
    const [, given, id] = (typeof after === "string" && /^(asc|desc)-(\d{1,16})$/.exec(after)) || []
    if (id !== undefined && given === order) return Number(id)
    throw new InvalidOptionError({
        option: "after",
        message: "expected `after` to be `next` of a page of jobs in the same order",
    })
}

/** What `after` is of the page that follows a job. */
export function toPlace(order: "asc" | "desc", id: number): string {
    return `${order}-${id}`
}

/** Makes a job of a list. */
export function toListedJob(row: ListedRow): ListedJob {
    return {
        jobID: row.id,
        definition: row.definition,
        channel: row.channel,
        state: toJobState(row.state),
        priority: row.priority,
        numAttemptsUsed: row.attempt,
        createdAt: new Date(row.createdAtMs),
        dueAt: new Date(row.dueAtMs),
        claimedAt: dateOrNull(row.claimedAtMs),
        finalizedAt: dateOrNull(row.finalizedAtMs),
        worker: row.worker,
        reason: row.reason as FailureReason | null,
        errorMessage: row.errorMessage,
        isCancelRequested: row.isCancelRequested,
        keys: keysOf(row.lane),
    }
}
