import { numberList } from "../db/encode.ts"
import { jobSequence, statementText } from "../db/identifier.ts"
import type { Query } from "./query.ts"

/** What a job is after one that it depends on was finalized. */
export type DependentState = "blocked" | "delayed" | "ready" | "unmet"

/**
 * The transaction that finalizes required jobs locks them and their dependents in the order of their ids, as
 * every statement does that locks more than one job: so none of them can wait for each other in a circle. One list of
 * ids, since Postgres looks through the whole table for rows that meet one condition or another.
 */
const lockText = statementText(
    (schema) => /* sql */ `-- cuckmq: lock-required-jobs
select job.id from ${schema}.job
where job.id in (
    select pg_catalog.unnest($1::bigint[])
    union
    select dependent_id from ${schema}.job_dependency where required_id = any($1::bigint[])
)
order by job.id
for update of job`,
)

/** Dependents that were deferred while the lock was waited for are not locked yet. */
const unlockedText = statementText(
    (schema) => /* sql */ `-- cuckmq: find-unlocked-dependents
select 1 from ${schema}.job_dependency as edge
join ${schema}.job on job.id = edge.dependent_id
where edge.required_id = any($1::bigint[])
    and not exists (select from pg_catalog.unnest($2::bigint[]) as locked(id) where locked.id = edge.dependent_id)
limit 1`,
)

/** Locks jobs and all that depend on them. Returns false when one came in between: then start again. */
export async function lockRequiredJobs({
    run,
    schema,
    ids,
}: Query & { ids: readonly number[] }): Promise<boolean> {
    const locked = await run(lockText(schema), [numberList(ids)])
    const others = await run(unlockedText(schema), [
        numberList(ids),
        numberList(locked.map(([id]) => Number(id))),
    ])
    return others.length === 0
}

const releaseText = statementText(
    (schema) => /* sql */ `-- cuckmq: release-dependents
with edge as (
    delete from ${schema}.job_dependency where required_id = any($1::bigint[]) returning dependent_id
), met as (
    select dependent_id as id, count(*) as num_met from edge group by dependent_id
)
update ${schema}.job
set num_blockers = job.num_blockers - met.num_met,
    state = case
        when job.num_blockers > met.num_met then 'blocked'
        when job.due_at > statement_timestamp() then 'delayed'
        else 'ready'
    end::${schema}.job_state,
    position = nextval(${jobSequence(schema)})
from met
where job.id = met.id and job.state = 'blocked'
returning job.state`,
)

/** Takes succeeded jobs off what their dependents wait for. Returns the state of each dependent. */
export async function releaseDependents({
    run,
    schema,
    ids,
}: Query & { ids: readonly number[] }): Promise<DependentState[]> {
    const rows = await run(releaseText(schema), [numberList(ids)])
    return rows.map(([state]) => state as DependentState)
}

const doomText = statementText(
    (schema) => /* sql */ `-- cuckmq: doom-dependents
with edge as (
    delete from ${schema}.job_dependency where required_id = any($1::bigint[]) returning dependent_id
)
update ${schema}.job
set state = 'unmet'
where id in (select dependent_id from edge) and state = 'blocked'
returning state`,
)

/** Marks the dependents of failed jobs as never to run. They are finalized next, each in its own turn. */
export async function doomDependents({
    run,
    schema,
    ids,
}: Query & { ids: readonly number[] }): Promise<DependentState[]> {
    const rows = await run(doomText(schema), [numberList(ids)])
    return rows.map(([state]) => state as DependentState)
}
