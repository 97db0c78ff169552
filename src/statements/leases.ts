import { numberList } from "../db/encode.ts"
import { jobSequence, statementText } from "../db/identifier.ts"
import { withError } from "./job-errors.ts"
import {
    type ClaimKey,
    hasID,
    IS_CANCELLED,
    IS_RUNNING,
    isClaimedAs,
    PREPARED_WHILE_QUICK,
    type Query,
} from "./query.ts"

const openText = statementText(
    (schema) => /* sql */ `-- cuckmq: open-lease
insert into ${schema}.lease (worker, interval_ms, expires_at)
values ($1, $2::double precision, clock_timestamp() + $2::double precision * interval '1 ms')
returning id`,
)

/** Opens a lease of the given length. */
export async function openLease({
    run,
    schema,
    worker,
    intervalMs,
}: Query & { worker: string; intervalMs: number }): Promise<number> {
    const [row] = await run(openText(schema), [worker, intervalMs])
    return Number(row?.[0])
}

/** Its one parameter is the list of ids, which the thread that stands by for a blocked event loop sends as well. */
export const renewLeasesText = statementText(
    (schema) => /* sql */ `-- cuckmq: renew-leases
update ${schema}.lease
set expires_at = clock_timestamp() + interval_ms * interval '1 ms'
where id = any($1::bigint[]) and revoked_by is null
returning id`,
)

/** Renews leases. One that is not among the ids returned was revoked: its jobs are no longer ours. */
export async function renewLeases({
    run,
    schema,
    ids,
}: Query & { ids: readonly number[] }): Promise<number[]> {
    const rows = await run(renewLeasesText(schema), [numberList(ids)], PREPARED_WHILE_QUICK)
    return rows.map(([id]) => Number(id))
}

/** Skips what someone holds locked, rather than wait for one job while it holds others. */
const moveText = statementText(
    (schema) => /* sql */ `-- cuckmq: move-jobs
with held as materialized (
    select job.id
    from rows from (pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::integer[])) as asked(id, token)
    join ${schema}.job on ${isClaimedAs("asked")}
), free as materialized (
    select job.id
    from held
    join ${schema}.job on ${hasID("held.id")}
    order by held.id
    for update of job skip locked
), moved as (
    update ${schema}.job set lease_id = $3
    from free
    where ${hasID("free.id")} and ${IS_RUNNING}
)
select id from held where id not in (select id from free)`,
)

/** Puts jobs that we hold under another lease. Returns the ids of those that someone holds locked: they stay. */
export async function moveJobs({
    run,
    schema,
    jobs,
    leaseID,
}: Query & { jobs: readonly ClaimKey[]; leaseID: number }): Promise<number[]> {
    const rows = await run(moveText(schema), [
        numberList(jobs.map((job) => job.id)),
        numberList(jobs.map((job) => job.token)),
        leaseID,
    ])
    return rows.map(([id]) => Number(id))
}

const endText = statementText(
    (schema) => /* sql */ `-- cuckmq: end-leases
update ${schema}.lease
set revoked_by = pg_current_xact_id(), expires_at = least(expires_at, clock_timestamp())
where id = any($1::bigint[]) and revoked_by is null`,
)

/** Ends leases of ours before their time. What is still claimed under them goes back to the queue. */
export async function endLeases({ run, schema, ids }: Query & { ids: readonly number[] }): Promise<void> {
    await run(endText(schema), [numberList(ids)])
}

const revokeText = statementText(
    (schema) => /* sql */ `-- cuckmq: revoke-leases
update ${schema}.lease
set revoked_by = pg_current_xact_id()
where id in (
    select id from ${schema}.lease
    where revoked_by is null and expires_at < clock_timestamp()
    order by id
    for update skip locked
) and revoked_by is null and expires_at < clock_timestamp()`,
)

/** Revokes leases that have lapsed: from here on they cannot be renewed. */
export async function revokeLeases({ run, schema }: Query): Promise<void> {
    await run(revokeText(schema), [])
}

/** What is recorded of an attempt whose worker went away. */
const LOST_WORKER = /* sql */ `pg_catalog.jsonb_build_object(
    'attempt', job.attempt, 'name', 'LeaseLostError', 'worker', lost.worker,
    'message', 'the worker crashed, or was cut off from the database, and its lease lapsed')::text`

/**
 * Takes jobs back from revoked leases: to be claimed again, or to be finalized when no attempt is left or the job
 * is to be cancelled. A claim
 * that was under way at the revocation may commit later, so this looks at every revoked lease that still exists.
 */
const reclaimText = statementText(
    (schema) => /* sql */ `-- cuckmq: reclaim-jobs
with lost as materialized (
    select job.id, lease.worker
    from ${schema}.lease
    join ${schema}.job on job.lease_id = lease.id and job.state = 'running'
    where lease.revoked_by is not null
    order by job.id
    limit $1::integer
    for update of job skip locked
)
update ${schema}.job
set state = case
        when job.attempt > job.num_attempts or ${IS_CANCELLED} then 'exhausted'
        else 'ready'
    end::${schema}.job_state,
    position = nextval(${jobSequence(schema)}),
    lease_id = null,
    errors = ${withError("job.errors", LOST_WORKER)}
from lost
where job.id = lost.id and job.state = 'running'
returning job.id`,
)

/** Takes up to `limit` jobs back from revoked leases. Returns their ids. */
export async function reclaimJobs({ run, schema, limit }: Query & { limit: number }): Promise<number[]> {
    return (await run(reclaimText(schema), [limit])).map(([id]) => Number(id))
}

/** A revoked lease is deleted when every transaction that could still claim under it is over. */
const deleteText = statementText(
    (schema) => /* sql */ `-- cuckmq: delete-leases
delete from ${schema}.lease
where revoked_by is not null and revoked_by < pg_snapshot_xmin(pg_current_snapshot())
    and not exists (select from ${schema}.job where job.state = 'running' and job.lease_id = lease.id)`,
)

/** Deletes leases that nothing can hang on any more. */
export async function deleteLeases({ run, schema }: Query): Promise<void> {
    await run(deleteText(schema), [])
}
