import { type AttemptError, toAttemptErrors } from "../attempt-errors.ts"
import type { FailureReason } from "../events.ts"
import { keysOf } from "../gate.ts"
import type { InspectedJob, RelatedJob } from "../statements/inspect-job.ts"
import { dateOrNull, type JobKeys, type JobState, toJobState } from "./job-state.ts"

/** Another job, which one waits for, or which waits for it. */
export interface JobReference {
    /** Its id. */
    jobID: number
    /** The name of its definition; null when that is gone. */
    definition: string | null
    /** What state it is in. */
    state: JobState
}

/** Everything about a job. */
export interface JobDetails {
    /** The id that `defer` returned. */
    jobID: number
    /** The name of its definition; null when that is gone. */
    definition: string | null
    /** Its definition's channel; null when that is gone. */
    channel: string | null
    /** What state it is in. */
    state: JobState
    /** What its job function is called with. */
    payload: unknown
    /** Those with the smaller number are taken first. */
    priority: number
    /** The keys that it was deferred with; a finalized job has none any more. */
    keys: JobKeys
    /** How many attempts were charged since it was deferred, or replayed last; the one that is running counts. */
    numAttemptsUsed: number
    /** How many it may have; null for a finalized job. */
    numAttemptsAllowed: number | null
    /** What its attempts threw, the last 100 of them. */
    errors: AttemptError[]
    /** When it was deferred. */
    createdAt: Date
    /** When it was due first: what `context.dueAt` says. */
    firstDueAt: Date
    /** When it is or was due: of one that waits for another attempt, or was put off, when that is. */
    dueAt: Date
    /** When it was taken from the queue last; null when it never was. */
    claimedAt: Date | null
    /** When it times out; null for a finalized job. */
    expiresAt: Date | null
    /** When it was finalized; null when it is not. */
    finalizedAt: Date | null
    /** The name of the worker that has it, or ended it; null when none does or did. */
    worker: string | null
    /** Until when that worker is trusted, if it does not renew its lease; null for a job that does not run. */
    leaseUntil: Date | null
    /** What its job function returned; null when it returned nothing, or has not succeeded. */
    result: unknown
    /** How it ended; null for one that is not finalized. */
    outcome: "succeeded" | "failed" | null
    /** Why it failed; null when it did not. */
    reason: FailureReason | null
    /** That it was asked to be cancelled; null when it was not, or is finalized. */
    cancelRequest: { requestedAt: Date; reason: string | null } | null
    /** The jobs that it still waits for, up to 100 of them. Those that have succeeded are not among them any more. */
    required: JobReference[]
    /** How many it still waits for. */
    numRequired: number
    /** The jobs that wait for it, up to 100 of them. */
    dependents: JobReference[]
    /** What `context.setProgress` said last; null when it never did. */
    progress: unknown
    /** How many lines `inspector.logs` has of it. */
    numLogs: number
}

/** Makes of a job what is told of it. */
export function toJobDetails(inspected: InspectedJob): JobDetails {
    const { facts, payload, result, required, dependents, progress, numLogs } = inspected
    const state = toJobState(facts.state)
    const outcome = state === "succeeded" || state === "failed" ? state : null
    return {
        jobID: facts.id,
        definition: facts.definition,
        channel: facts.channel,
        state,
        payload: JSON.parse(payload) as unknown,
        priority: facts.priority,
        keys: keysOf(facts.lane),
        numAttemptsUsed: facts.attempt,
        numAttemptsAllowed: facts.numAttempts === null ? null : facts.numAttempts + 1,
        errors: toAttemptErrors(facts.errors),
        createdAt: new Date(facts.createdAtMs),
        firstDueAt: new Date(facts.firstDueAtMs),
        dueAt: new Date(facts.dueAtMs),
        claimedAt: dateOrNull(facts.claimedAtMs),
        expiresAt: dateOrNull(facts.expiresAtMs),
        finalizedAt: dateOrNull(facts.finalizedAtMs),
        worker: facts.worker,
        leaseUntil: dateOrNull(facts.leaseUntilMs),
        result: result === null ? null : (JSON.parse(result) as unknown),
        outcome,
        reason: facts.reason as FailureReason | null,
        cancelRequest:
            facts.cancelledAtMs === null
                ? null
                : { requestedAt: new Date(facts.cancelledAtMs), reason: facts.cancelReason },
        required: required.map(toReference),
        numRequired: facts.numBlockers,
        dependents: dependents.map(toReference),
        progress: progress === null ? null : (JSON.parse(progress) as unknown),
        numLogs,
    }
}

/** Makes of a related job what is told of it. */
export function toReference({ id, definition, state }: RelatedJob): JobReference {
    return { jobID: id, definition, state: toJobState(state) }
}
