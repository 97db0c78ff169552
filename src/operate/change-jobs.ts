import type { Core } from "../config.ts"
import type { Run } from "../db/driver.ts"
import { numberList } from "../db/encode.ts"
import { finalizeCancelled } from "../finalize-cancelled.ts"
import { type CancelledJob, cancelJobs } from "../statements/cancel-jobs.ts"
import { deleteJobs } from "../statements/delete-jobs.ts"
import { setPriorities } from "../statements/priorities.ts"
import { runJobsNow, setDueTime } from "../statements/put-due.ts"
import type { Query } from "../statements/query.ts"
import { replayJobs } from "../statements/replay-jobs.ts"
import { deleteJobLogs } from "../statements/sweep-job-logs.ts"
import type { CheckedChange } from "./change-options.ts"

/** What a transaction has done to jobs. */
export interface ChangedJobs {
    /** Those that are changed, or, of `cancel`, are to end. */
    ids: number[]
    /** Those of them that run, and are being told to end. */
    running: number[]
    /** Tells whom it concerns, once it is committed. */
    announce(core: Core): void | Promise<void>
}

/**
 * Changes jobs as a part of a transaction; those that an action is not for are left. The priority of `set-priority` was
 * registered for them before.
 */
export async function changeJobs(params: {
    core: Core
    run: Run
    change: CheckedChange
    ids: readonly number[]
    /** The slots of history that they are in, where that is known. */
    slots?: readonly number[] | undefined
}): Promise<ChangedJobs> {
    const { core, run, change, ids, slots } = params
    const query = { run, schema: core.schema, ids }
    switch (change.action) {
        case "replay":
            return dueJobs(await replayJobs({ ...query, intervalMs: intervalOf(change.ratePerSecond) }))
        case "run-now":
            return dueJobs(await runJobsNow(query))
        case "set-due-time":
            return dueJobs(await setDueTime({ ...query, dueAtMs: change.dueAtMs }))
        case "cancel":
            return cancelledJobs(await cancelJobs({ ...query, reason: change.reason, lockMs: null }))
        case "set-priority":
            return prioritizedJobs(await setPriorities({ ...query, priority: change.priority }))
        case "delete":
            return deletedJobs(slots === undefined ? query : { ...query, slots })
    }
}

function intervalOf(ratePerSecond: number | null): number | null {
    return ratePerSecond === null ? null : 1_000 / ratePerSecond
}

/** What they have said goes with them. */
async function deletedJobs(
    query: Query & { ids: readonly number[]; slots?: readonly number[] },
): Promise<ChangedJobs> {
    const ids = await deleteJobs(query)
    await deleteJobLogs({ ...query, ids: numberList(ids) })
    return { ids, running: [], announce: () => undefined }
}

function dueJobs(jobs: readonly { id: number; channel: string; isReady: boolean }[]): ChangedJobs {
    return {
        ids: jobs.map(({ id }) => id),
        running: [],
        announce: ({ hints }) => hints.announceJobs(jobs),
    }
}

function cancelledJobs(jobs: readonly CancelledJob[]): ChangedJobs {
    return {
        ids: jobs.map(({ id }) => id),
        running: jobs.filter(({ isRunning }) => isRunning).map(({ id }) => id),
        announce: (core) => finalizeCancelled(core, jobs),
    }
}

function prioritizedJobs(
    jobs: readonly { id: number; channel: string; isReadyAnew: boolean }[],
): ChangedJobs {
    const channels = new Set(jobs.filter(({ isReadyAnew }) => isReadyAnew).map(({ channel }) => channel))
    return {
        ids: jobs.map(({ id }) => id),
        running: [],
        announce: ({ hints }) => {
            for (const channel of channels) hints.announce("ready", channel)
        },
    }
}
