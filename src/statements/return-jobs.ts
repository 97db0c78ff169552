import { numberList } from "../db/encode.ts"
import { statementText } from "../db/identifier.ts"
import {
    byID,
    type ClaimKey,
    hasID,
    IS_CANCELLED,
    IS_IMPATIENT,
    IS_RUNNING,
    isClaimedAs,
    type LetGo,
    type Query,
    toLetGo,
} from "./query.ts"

/**
 * Hands claimed jobs back to their old places without charging the attempt. The token stays: whatever the claim
 * still writes is fenced once another claim has raised it. One that is to be cancelled ends instead.
 */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: return-jobs
update ${schema}.job
set state = case when ${IS_CANCELLED} then 'exhausted' else 'ready' end::${schema}.job_state,
    attempt = job.attempt - 1, lease_id = null
from rows from (pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::integer[])) as returned(id, token)
where ${IS_IMPATIENT} and ${isClaimedAs("returned")}
returning job.id, job.state`,
)

/** Returns which of the jobs were ours to hand back. */
export async function returnJobs({
    run,
    schema,
    jobs,
}: Query & { jobs: readonly ClaimKey[] }): Promise<LetGo> {
    const inOrder = byID(jobs)
    const rows = await run(text(schema), [
        numberList(inOrder.map((job) => job.id)),
        numberList(inOrder.map((job) => job.token)),
    ])
    return toLetGo(rows)
}

const lostText = statementText(
    (schema) => /* sql */ `-- cuckmq: return-lost-claims
with free as materialized (
    select id from ${schema}.job
    where lease_id = $1 and state = 'running' and not exists (
        select from rows from (pg_catalog.unnest($2::bigint[]), pg_catalog.unnest($3::integer[])) as known(id, token)
        where known.id = job.id and known.token = job.token
    )
    order by id
    for update skip locked
), returned as (
    update ${schema}.job
    set state = case when ${IS_CANCELLED} then 'exhausted' else 'ready' end::${schema}.job_state,
        attempt = job.attempt - 1, lease_id = null
    from free
    where ${hasID("free.id")} and ${IS_RUNNING}
)
select id from ${schema}.job where lease_id = $1 and state = 'running' and id not in (select id from free)`,
)

/**
 * Hands back what is claimed under a lease of ours: jobs that never started, since we never heard that we got them.
 * Those that we do know of stay: one that moved to this lease may be here though the answer was lost. Those that someone
 * holds locked stay too. Returns the ids of all that stay.
 */
export async function returnLostClaims({
    run,
    schema,
    leaseID,
    known,
}: Query & { leaseID: number; known: readonly ClaimKey[] }): Promise<number[]> {
    const rows = await run(lostText(schema), [
        leaseID,
        numberList(known.map((job) => job.id)),
        numberList(known.map((job) => job.token)),
    ])
    return rows.map(([id]) => Number(id))
}
