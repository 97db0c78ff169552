import type { Core } from "./core.ts"
import { lockNotAvailable, wasTooLong } from "./db/failure.ts"
import type { FailureReason } from "./events.ts"
import {
    type Finalization,
    finalizeJobs,
    finalizeRequiredJobs,
    type Outcome,
} from "./statements/finalize-jobs.ts"
import { findSettledJobs } from "./statements/find-settled-jobs.ts"
import { ringOf } from "./statements/history-rings.ts"
import { beImpatient } from "./statements/query.ts"
import { type DoomedJob, type EndingJob, selectDoomedJobs } from "./statements/select-doomed-jobs.ts"
import {
    type DependentState,
    doomDependents,
    lockRequiredJobs,
    releaseDependents,
} from "./statements/settle-dependents.ts"

/** Finalized in one transaction at the most, when others depend on them. */
const MAX_REQUIRED = 100

/** Doomed jobs taken in one round. */
const MAX_DOOMED = 500

export interface FinalizeParams {
    core: Core
    jobs: readonly Finalization[]
    outcome: Outcome
    reason: FailureReason | null
    worker: string | null
    /** The ring of history that the jobs go to; null when they are not to be kept. */
    ring: number | null
}

/** The ids of the jobs that are finalized under the tokens given; the rest was claimed by others since. */
export interface Finalized {
    /** By this call. */
    now: Set<number>
    /** By another process, or by an earlier call whose answer was lost. */
    before: Set<number>
}

/**
 * Finalizes jobs and settles what depends on them. Jobs that nobody depends on go in one statement; the others
 * together with their dependents, in one transaction.
 */
export async function finalize(params: FinalizeParams): Promise<Finalized> {
    const { core, jobs, outcome } = params
    const { run, schema } = core
    const now = new Set(await finalizeJobs({ ...params, run, schema }))
    const rest = jobs.filter((job) => !now.has(job.id))
    if (rest.length === 0) return { now, before: new Set() }
    const settled = await findSettledJobs({ run, schema, jobs: rest, outcome })
    const required = rest.filter((job) => settled.required.includes(job.id)).sort((a, b) => a.id - b.id)
    for (let start = 0; start < required.length; start += MAX_REQUIRED) {
        const chunk = required.slice(start, start + MAX_REQUIRED)
        for (const id of await finalizeRequired({ ...params, jobs: chunk })) now.add(id)
    }
    return { now, before: new Set(settled.finalized) }
}

async function finalizeRequired(params: FinalizeParams): Promise<number[]> {
    const { core, jobs, outcome } = params
    const { schema } = core
    for (;;) {
        const done = await core.database.transaction(async (run) => {
            await beImpatient({ run })
            const isLocked = await lockRequiredJobs({ run, schema, ids: jobs.map((job) => job.id) })
            if (!isLocked) return undefined
            const ids = await finalizeRequiredJobs({ ...params, run, schema })
            const settle = outcome === "succeeded" ? releaseDependents : doomDependents
            return { ids, states: await settle({ run, schema, ids }) }
        })
        if (done === undefined) continue
        announceDependents(core, done.states)
        return done.ids
    }
}

/** Tells workers what became of jobs that depended on finalized ones. */
export function announceDependents(core: Core, states: readonly DependentState[]): void {
    if (states.includes("ready")) core.hints.announce("ready")
    if (states.includes("delayed") || states.includes("unmet")) core.hints.announce("look")
}

/** Why the jobs of a doomed state fail, unless they were cancelled. */
const REASONS = { unmet: "unmet-dependencies", exhausted: "no-attempts-remaining" } as const

/** Why jobs fail that cannot run any more. */
export type DoomedReason = (typeof REASONS)[keyof typeof REASONS] | "cancelled"

/**
 * Finalizes all jobs that cannot run any more, and those that depend on them, and so on. Calls `onFinalized` for
 * each one that this call, and no other process, finalized.
 */
export async function finalizeDoomed(params: {
    core: Core
    onFinalized: (job: DoomedJob, reason: DoomedReason) => void
}): Promise<void> {
    const { core, onFinalized } = params
    for (const state of ["exhausted", "unmet"] as const) {
        for (;;) {
            const jobs = await selectDoomedJobs({
                run: core.run,
                schema: core.schema,
                state,
                limit: MAX_DOOMED,
            })
            if (jobs.length === 0) break
            let numLocked = 0
            for (const [reason, doomed] of byReason(jobs, REASONS[state])) {
                numLocked += await finalizeFailed({
                    core,
                    jobs: doomed,
                    reason,
                    onFinalized: (job) => onFinalized(job, reason),
                })
            }
            if (numLocked > 0) break
        }
    }
}

function byReason(jobs: readonly EndingJob[], reason: DoomedReason): [DoomedReason, EndingJob[]][] {
    const groups: [DoomedReason, EndingJob[]][] = [
        ["cancelled", jobs.filter((job) => job.isCancelled)],
        [reason, jobs.filter((job) => !job.isCancelled)],
    ]
    return groups.filter(([, group]) => group.length > 0)
}

/**
 * Finalizes jobs as failed that no handler is running for, in halves where all of them take too long. Leaves those
 * alone that someone else holds locked, and returns how many they are: the next round will do.
 */
export async function finalizeFailed(params: FinalizeFailed): Promise<number> {
    const rings = new Map<number | null, DoomedJob[]>()
    for (const job of params.jobs) {
        const ring = ringOf({ outcome: "failed", keepMs: job.keepMs })
        const known = rings.get(ring)
        if (known === undefined) rings.set(ring, [job])
        else known.push(job)
    }
    let numLocked = 0
    for (const [ring, jobs] of rings) numLocked += await finalizeAlike({ ...params, jobs, ring })
    return numLocked
}

interface FinalizeFailed {
    core: Core
    jobs: readonly DoomedJob[]
    reason: FailureReason
    onFinalized: (job: DoomedJob) => void
}

/** The same for jobs that go to one ring of history. */
async function finalizeAlike(params: FinalizeFailed & { ring: number | null }): Promise<number> {
    const { core, jobs, reason, onFinalized, ring } = params
    const finalizations = jobs.map(({ id, token, error }) => ({ id, token, result: null, error }))
    try {
        const { now } = await finalize({
            core,
            jobs: finalizations,
            outcome: "failed",
            reason,
            worker: null,
            ring,
        })
        for (const job of jobs) {
            if (!now.has(job.id)) continue
            core.counter.failed(job.name, reason, null)
            onFinalized(job)
        }
        return 0
    } catch (error) {
        const isAlone = jobs.length === 1
        if (isAlone && lockNotAvailable(error)) return 1
        if (isAlone || !(lockNotAvailable(error) || wasTooLong(error))) throw error
        const half = Math.ceil(jobs.length / 2)
        const numLocked = await finalizeAlike({ ...params, jobs: jobs.slice(0, half) })
        return numLocked + (await finalizeAlike({ ...params, jobs: jobs.slice(half) }))
    }
}
