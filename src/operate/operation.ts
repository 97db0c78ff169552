import { dateOrNull } from "../inspect/job-state.ts"
import type { OperationRow } from "../statements/operations.ts"

/** What may be done to jobs. */
export type JobChange =
    | {
          /** Jobs that failed for good begin again: under their ids, with their payloads, and all attempts anew. */
          action: "replay"
          /**
           * How many jobs of each definition become due in a second: 0.001 to 1,000,000. Holds over all replays that have
           * one, and without any process that waits. Default: all at once.
           */
          ratePerSecond?: number
      }
    | {
          /** Jobs that are not finalized are never attempted again. One that runs is told to end. */
          action: "cancel"
          /** Why, for the job's signal and its history: a text of 1 to 1,000 characters. Default none. */
          reason?: string
      }
    | {
          /** Jobs that are delayed, or wait for their next attempt, are due now. */
          action: "run-now"
      }
    | {
          /** Jobs that are not finalized get another priority. */
          action: "set-priority"
          /** A whole number from -1,000 to 1,000; jobs with the smaller number are taken first. */
          priority: number
      }
    | {
          /** Jobs that are ready or delayed are due at another time, and have their whole time again from then on. */
          action: "set-due-time"
          /** When; an instant that is past means now. */
          dueAt: Date
      }
    | {
          /** Finalized jobs are removed from history for good. Live ones have to be cancelled first. */
          action: "delete"
      }

/** The name of what may be done to jobs. */
export type JobAction = JobChange["action"]

/** All actions. */
export const JOB_ACTIONS = [
    "replay",
    "cancel",
    "run-now",
    "set-priority",
    "set-due-time",
    "delete",
] as const satisfies readonly JobAction[]

/** What became of one job that was to be changed. */
export interface ChangeResult {
    /** The job. */
    jobID: number
    /**
     * `done`: it is changed. `running`: of `cancel` only, it runs, and its worker is being told to end it. `wrong-state`: it
     * is in a state that the action is not for. `not-found`: there is no such job, or history holds it no more.
     */
    result: "done" | "running" | "wrong-state" | "not-found"
}

/** Who asks for something. */
export interface By {
    /** Who asks, for the audit log: a text of 1 to 255 characters that is not blank. Default: nobody is named. */
    by?: string
}

/** How to count the jobs that a change would concern. */
export interface CountOptions {
    /**
     * For how many milliseconds to look through them, 1 to 10,000, after which `isExact` is false. It looks through a few of
     * them at least, and may take half as long again where the server is busy. Default 1,500.
     */
    countMs?: number
}

/** How to have all jobs changed that fit. */
export interface ChangeAllOptions extends By, CountOptions {
    /** How many to change at the most, in the order of their ids: 1 or more. Default: all that fit. */
    limit?: number
}

/** What an operation does, or did. */
export type OperationKind =
    | JobAction
    | "pause"
    | "resume"
    | "pause-schedule"
    | "resume-schedule"
    | "remove-schedule"
    | "run-schedule"
    | "defer"
    | "cancel-operation"

/**
 * How far an operation is. `waiting`: no orchestrator has begun. `running`: one is at it. `done`: it has come to its end.
 * `cancelled`: it was ended before; what it had done stays done. `failed`: the database refused, and `error` says why.
 */
export type OperationState = "waiting" | "running" | "done" | "cancelled" | "failed"

/** How much of an operation is done. */
export interface OperationProgress {
    /** How many jobs it has come to that fit. */
    numLookedAt: number
    /** How many of them it changed. */
    numDone: number
    /** How many it left as they were: in another state by then, or locked by somebody for five seconds. */
    numSkipped: number
    /** How many it is expected to come to; null where that could not be counted to the end. */
    numExpected: number | null
}

/** Something that was done through an `Inspector`, or is being done: a record of the audit log, kept for 90 days. */
export interface Operation {
    /** Its number; later ones have larger numbers. */
    operationID: number
    /** What it does, or did. */
    kind: OperationKind
    /** Who asked for it; null when nobody was named. */
    by: string | null
    /** When it was asked for, by the database's clock. */
    at: Date
    /**
     * What it is about: `{ jobIDs }`, `{ filter }`, `{ definition }` with a `key` or without, `{ channel }`,
     * `{ everything: true }`, `{ schedule }` or `{ operationID }`. Instants in a filter are ISO texts.
     */
    target: Record<string, unknown>
    /**
     * What else was asked for: `reason`, `priority`, `dueAt` as ISO text, `ratePerSecond`, `limit`; or the `jobID` that came
     * of it. Never a payload.
     */
    details: Record<string, unknown>
    /** How far it is. */
    state: OperationState
    /** How much of it is done. */
    progress: OperationProgress
    /** When an orchestrator began; null while it waits. */
    startedAt: Date | null
    /** When it ended; null when it has not. */
    endedAt: Date | null
    /** Who cancelled it; null when nobody did, or nobody was named. */
    cancelledBy: string | null
    /** Why it failed; null when it did not. */
    error: string | null
}

/** Which operations to list. */
export interface ListOperationsOptions {
    /** How many at the most: 1 to 1,000. Default 50. */
    limit?: number
    /** Where to go on: `next` of the page before. Default: at the newest. */
    after?: string
    /** `true`: those that have not ended. `false`: those that have. Default: all. */
    isRunning?: boolean
}

/** Operations, the newest first. */
export interface OperationPage {
    /** Those that were found. */
    operations: Operation[]
    /** What to give as `after` for those before; null when there are none. */
    next: string | null
}

/** Makes an operation of a row. */
export function toOperation(row: OperationRow): Operation {
    const { numLookedAt, numDone, numSkipped, numExpected } = row
    return {
        operationID: row.id,
        kind: row.kind as OperationKind,
        by: row.askedBy,
        at: new Date(row.askedAtMs),
        target: row.target,
        details: row.details,
        state: row.state as OperationState,
        progress: { numLookedAt, numDone, numSkipped, numExpected },
        startedAt: dateOrNull(row.startedAtMs),
        endedAt: dateOrNull(row.endedAtMs),
        cancelledBy: row.cancelledBy,
        error: row.error,
    }
}
