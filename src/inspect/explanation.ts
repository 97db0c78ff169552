import type { FailureReason } from "../events.ts"
import type { PauseTarget } from "../pauses.ts"
import type { JobReference } from "./job-details.ts"

/** What every explanation has. */
interface AboutJob {
    /** The job that was asked about. */
    jobID: number
    /** The same in English, with the facts. */
    sentence: string
}

/** There is no job of this id, or history holds it no more. */
export interface NotFound extends AboutJob {
    kind: "not-found"
}

/** It is over, and succeeded. */
export interface Succeeded extends AboutJob {
    kind: "succeeded"
    finalizedAt: Date
    worker: string | null
    attempt: number
}

/** It is over, and failed. */
export interface Failed extends AboutJob {
    kind: "failed"
    finalizedAt: Date
    worker: string | null
    attempt: number
    reason: FailureReason
    /** What was thrown last; null when nothing was. */
    error: { name: string; message: string } | null
}

/** It will not run any more, and is finalized as failed in a moment. */
export interface Failing extends AboutJob {
    kind: "failing"
    reason: "unmet-dependencies" | "no-attempts-remaining" | "cancelled"
}

/** It runs. */
export interface Running extends AboutJob {
    kind: "running"
    claimedAt: Date
    attempt: number
    worker: string | null
    /** Until when the worker is trusted, unless it renews its lease, as it does while it lives. */
    leaseUntil: Date | null
}

/** It runs, and its worker is being told to end it. */
export interface Cancelling extends AboutJob {
    kind: "cancelling"
    claimedAt: Date
    attempt: number
    worker: string | null
    requestedAt: Date
    reason: string | null
}

/** Its worker went silent, and its lease is over: it is taken back as soon as any daemon looks. */
export interface WorkerSilent extends AboutJob {
    kind: "worker-silent"
    attempt: number
    worker: string | null
    leaseUntil: Date | null
}

/** It is not due. */
export interface Delayed extends AboutJob {
    kind: "delayed"
    dueAt: Date
    /** In how many milliseconds that is. */
    inMs: number
}

/** An attempt failed, and it is too early for the next one. */
export interface Retrying extends AboutJob {
    kind: "retrying"
    /** The attempt that failed. */
    attempt: number
    dueAt: Date
    inMs: number
    error: { name: string; message: string }
}

/** It waits for other jobs. */
export interface Blocked extends AboutJob {
    kind: "blocked"
    /** One that it waits for. */
    required: JobReference | null
    /** How many it waits for, with that one. */
    numRequired: number
}

/** It is paused. */
export interface Paused extends AboutJob {
    kind: "paused"
    /** What is paused: the longest of all pauses that it is under. `config.resume` takes the same. */
    target: PauseTarget
    reason: string | null
    pausedAt: Date
    /** How many pauses it is under. */
    numPauses: number
}

/** No live worker takes its channel. */
export interface NoWorkerForChannel extends AboutJob {
    kind: "no-worker-for-channel"
    channel: string
}

/** Live workers take its channel, but none of them knows its definition. */
export interface NoWorkerForDefinition extends AboutJob {
    kind: "no-worker-for-definition"
    channel: string
    definition: string
    /** How many workers take the channel. */
    numWorkers: number
}

/** Its definition's `releaseIntervalMs` has not passed since the last job. */
export interface ReleaseInterval extends AboutJob {
    kind: "release-interval"
    releaseIntervalMs: number
    nextAt: Date
}

/** The rate limit that it counts under is used up. */
export interface RateLimited extends AboutJob {
    kind: "rate-limit"
    max: number
    perMs: number
    /** Null where it is for the whole definition. */
    key: string | null
    /** How much of `max` was taken within the last `perMs`. */
    numTaken: number
    /** When there is room for this job. */
    freeAt: Date
}

/** `context.rateLimited` holds all that counts under its rate limit. */
export interface RateHeld extends AboutJob {
    kind: "rate-held"
    key: string | null
    heldUntil: Date
}

/** As many jobs run as its concurrency limit allows. */
export interface ConcurrencyLimited extends AboutJob {
    kind: "concurrency-limit"
    max: number
    /** Null where it is for the whole definition. */
    key: string | null
    /** Those that have run for longest, up to ten. */
    runningIDs: number[]
}

/** Its group is ordered, and a job before it has not ended. */
export interface GroupOrder extends AboutJob {
    kind: "group-order"
    group: string
    /** The job whose turn it is. */
    before: JobReference
}

/** All slots of the workers that run its definition are taken. */
export interface NoSlot extends AboutJob {
    kind: "no-slot"
    numWorkers: number
    numSlots: number
    /** How many ready jobs come before it, up to 1,000. */
    numAhead: number
}

/** Nothing holds it back but the jobs before it. */
export interface InLine extends AboutJob {
    kind: "in-line"
    /** How many ready jobs come before it, up to 1,000; none if it is next. */
    numAhead: number
}

/** Why a job does not run, or what became of it; told apart by `kind`. */
export type Explanation =
    | NotFound
    | Succeeded
    | Failed
    | Failing
    | Running
    | Cancelling
    | WorkerSilent
    | Delayed
    | Retrying
    | Blocked
    | Paused
    | NoWorkerForChannel
    | NoWorkerForDefinition
    | ReleaseInterval
    | RateLimited
    | RateHeld
    | ConcurrencyLimited
    | GroupOrder
    | NoSlot
    | InLine
