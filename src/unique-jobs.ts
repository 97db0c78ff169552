import { DatabaseError } from "./errors.ts"
import type { KeyFunction } from "./gate.ts"
import type { KeyRule, Standing } from "./statements/insert-unique-jobs.ts"

export type { KeyRule }

/** How a definition's jobs get their keys. */
export interface UniqueRule extends Omit<KeyRule, "key"> {
    key: string | KeyFunction
}

/** The job that stands after a deferral, and what the deferral did. */
export interface Deferral {
    /** The id of the job that stands: the new one, or the one that had the key. */
    id: number
    /**
     * `inserted`: there is a new job. `kept`: another job has the key, and nothing was changed. `replaced`: it has the new
     * payload now. `postponed`: it has the new payload, and is due anew.
     */
    outcome: "inserted" | "kept" | "replaced" | "postponed"
}

/** A job to defer, as far as keys are concerned. */
export interface KeyedJob {
    readonly definition: { readonly name: string }
    readonly delayMs: number | null
    readonly runAtMs: number | null
    readonly dependencies: readonly number[]
    readonly priority: number | null
    readonly unique: KeyRule | null
}

/** How often a key may be taken by someone else in the moment in which it is looked at. */
const MAX_TRIES = 100

/** Names the key of a job among all definitions; undefined when it has none. */
export function keyID({ definition, unique }: KeyedJob): string | undefined {
    return unique === null ? undefined : `${definition.name}\u0000${unique.key}`
}

/** Jobs of one key together, in order; those without one by themselves. */
export function groupsByKey<Job extends KeyedJob>(jobs: readonly Job[]): [Job, ...Job[]][] {
    const groups: [Job, ...Job[]][] = []
    const ofKey = new Map<string, Job[]>()
    for (const job of jobs) {
        const id = keyID(job)
        const known = id === undefined ? undefined : ofKey.get(id)
        known?.push(job)
        if (known !== undefined) continue
        const group: [Job, ...Job[]] = [job]
        groups.push(group)
        if (id !== undefined) ofKey.set(id, group)
    }
    return groups
}

/**
 * What the jobs of a group come to when they are deferred one after the other: the first is inserted or meets the job
 * that has the key, and those after it meet the job that stands then. All that may differ between the two cases is
 * whether a job that stands is changed, and that is asked for if any of the group would.
 */
export function foldGroup<Job extends KeyedJob>([first, ...others]: readonly [Job, ...Job[]]): Job {
    let folded = first
    for (const job of others) {
        if (job.unique === null || job.unique.onConflict === "keep") continue
        // A job that takes over a place keeps when it is due, and what it waits for.
        const isPostponed = job.unique.onConflict === "postpone"
        const { delayMs, runAtMs, priority } = isPostponed ? job : folded
        const wasPostponed = folded.unique?.onConflict === "postpone"
        const unique = {
            ...job.unique,
            heldWhile: first.unique?.heldWhile ?? job.unique.heldWhile,
            forMs: first.unique?.forMs ?? null,
            onConflict: isPostponed || wasPostponed ? ("postpone" as const) : job.unique.onConflict,
            maxWaitMs: isPostponed ? job.unique.maxWaitMs : (folded.unique?.maxWaitMs ?? null),
        }
        folded = { ...job, delayMs, runAtMs, priority, dependencies: first.dependencies, unique }
    }
    return folded
}

/** What each job of a group did. */
function deferralsOf<Job extends KeyedJob>(
    group: readonly Job[],
    { id, fate }: Exclude<Standing, "contested">,
): Deferral[] {
    return group.map(({ unique }, index) => {
        if (fate === "inserted" && index === 0) return { id, outcome: "inserted" }
        if (fate === "kept") return { id, outcome: "kept" }
        const onConflict = unique?.onConflict ?? "keep"
        return {
            id,
            outcome: ({ keep: "kept", replace: "replaced", postpone: "postponed" } as const)[onConflict],
        }
    })
}

/**
 * Defers jobs of which some have keys, those of one key in their order, by one statement. `insert` does it for jobs of
 * which no two have the same key. The jobs of a key that someone else took meanwhile are not in what it returns.
 */
export async function deferOnce<Job extends KeyedJob>(
    jobs: readonly Job[],
    insert: (jobs: readonly Job[]) => Promise<readonly Standing[]>,
): Promise<Map<Job, Deferral>> {
    const deferrals = new Map<Job, Deferral>()
    const groups = groupsByKey(jobs)
    const standing = await insert(groups.map(foldGroup))
    for (const [index, group] of groups.entries()) {
        const result = standing[index]
        if (result === undefined || result === "contested") continue
        const ofGroup = deferralsOf(group, result)
        for (const [at, job] of group.entries()) deferrals.set(job, ofGroup[at] as Deferral)
    }
    return deferrals
}

/** The same, until it is done: by a transaction, or for jobs of one key. Else some are deferred when another fails. */
export async function deferByKey<Job extends KeyedJob>(
    jobs: readonly Job[],
    insert: (jobs: readonly Job[]) => Promise<readonly Standing[]>,
): Promise<Map<Job, Deferral>> {
    const deferrals = new Map<Job, Deferral>()
    for (let tries = 1; deferrals.size < jobs.length; tries++) {
        if (tries > MAX_TRIES) throw contested()
        const rest = jobs.filter((job) => !deferrals.has(job))
        for (const [job, deferral] of await deferOnce(rest, insert)) deferrals.set(job, deferral)
    }
    return deferrals
}

function contested(): DatabaseError {
    return new DatabaseError({
        action: "defer",
        sqlState: undefined,
        retryable: true,
        cause: new Error("a key was taken by others again and again"),
    })
}
