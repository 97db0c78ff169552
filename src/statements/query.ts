import type { Run, RunOptions } from "../db/driver.ts"
import type { QuotedSchema } from "../db/identifier.ts"

/** What every statement needs: something that runs SQL, and the schema to run it in. */
export interface Query {
    run: Run
    schema: QuotedSchema
}

const PROCESS = /* sql */ `select pg_backend_pid()`

/** For statements whose plan does not depend on how large tables are. */
export const PREPARED: RunOptions = { prepared: { keep: "always", processText: PROCESS } }

/** For others that are run often, and small. */
export const PREPARED_WHILE_QUICK: RunOptions = { prepared: { keep: "while-quick", processText: PROCESS } }

/** A claimed job as the writes that end its claim name it: the token fences them. */
export interface ClaimKey {
    id: number
    token: number
}

/** In the order of their ids, in which every statement takes the rows of several jobs. */
export function byID<Job extends ClaimKey>(jobs: readonly Job[]): Job[] {
    return [...jobs].sort((a, b) => a.id - b.id)
}

/**
 * How long a statement that ends claims waits for a job that someone else holds locked, for the rest of its
 * transaction. Who defers a dependent in a transaction of their own holds the job that it depends on locked until
 * that transaction ends. A quarter of a second, and no more than half of the time after which the server looks for a
 * deadlock: should the planner, misled, take rows in another order than ours, then we let go before one is found.
 */
export const IMPATIENT = /* sql */ `set_config('lock_timeout', greatest(1, least(250, floor(
    date_part('epoch', current_setting('deadlock_timeout')::interval) * 500::double precision)))::text || 'ms', true)`

/** Gives up waiting for locked jobs early, for the rest of a transaction of ours. */
export async function beImpatient({ run }: Pick<Query, "run">): Promise<void> {
    await run(/* sql */ `select ${IMPATIENT}`, [])
}

/**
 * The same as a condition. It names no table, so it is looked at once, and before the first row is: as a row to join it was
 * made anew for each job, which took longer than to look the job up.
 */
export const IS_IMPATIENT = /* sql */ `(select ${IMPATIENT}) is not null`

/**
 * Finds a job by an id out of a list that is joined with it. It says no more than `job.id = …`, but leaves the planner
 * no way to follow it than to look each id up, one after the other. Where an old snapshot keeps the remains of many
 * jobs, it believes that hardly a row is left, and would rather walk through the whole index once.
 */
export function hasID(id: string): string {
    return /* sql */ `job.id = any(array[${id}])`
}

/**
 * Finds a job by its id and its token, out of a list of claims that is joined with it. Nor is the token said in a way by
 * which the planner could join: where it knows nothing of a table yet, it takes tokens for selective, and sorts all jobs by
 * them.
 */
export function isOfClaim(claim: string): string {
    return /* sql */ `${hasID(`${claim}.id`)} and job.token = any(array[${claim}.token])`
}

/**
 * Says of a job that it still runs under a claim, out of a list of ids and tokens that is joined with it. So said that
 * the planner does not take the index of those that run, and goes through all of them for each id.
 */
export function isClaimedAs(claim: string): string {
    return /* sql */ `${isOfClaim(claim)} and ${IS_RUNNING}`
}

/** Says of a job that runs that it is to be cancelled: it ends then, whatever else would become of it. */
export const IS_CANCELLED = /* sql */ `job.cancelled_at is not null`

/**
 * Whether a definition has ready jobs, by one look into the index. It says no more than `exists`, which the planner, where
 * many jobs are ready, would follow by reading all of them, and throwing all but their definitions away.
 */
export const hasReadyJob = (schema: QuotedSchema, definitionID: string) => /* sql */ `coalesce((
            select true from ${schema}.job
            where job.definition_id = ${definitionID} and job.state = 'ready'
            order by job.definition_id, job.priority, job.position
            limit 1
        ), false)`

/** What became of jobs that a worker lets go. */
export interface LetGo {
    /** Those that were its own to let go. */
    ids: number[]
    /** One of them was to be cancelled, and waits to be finalized. */
    isAnyCancelled: boolean
}

/** Reads rows of `job.id` and `job.state`, of jobs that a worker has let go. */
export function toLetGo(rows: readonly (readonly (string | null)[])[]): LetGo {
    return {
        ids: rows.map(([id]) => Number(id)),
        isAnyCancelled: rows.some(([, state]) => state === "exhausted"),
    }
}

/**
 * Says of a job that it is ready. So said that the planner cannot take the index of all that are, which statistics may say
 * are none, and go through them: for jobs that are found by their ids, or, with `lane is not null`, by their lanes.
 */
export const IS_READY = /* sql */ `coalesce(job.state = 'ready', false)`

/** Says of a job that is found by its id already that it runs; see `isClaimedAs`. */
export const IS_RUNNING = /* sql */ `coalesce(job.state = 'running', false)`
