import { numberList } from "../db/encode.ts"
import { statementText } from "../db/identifier.ts"
import { CLAIM_ASSIGNMENTS, CLAIMED_COLUMNS, type ClaimedJob, toClaimedJob } from "./claim-jobs.ts"
import { hasNoPausedKey } from "./paused-keys.ts"
import { pausedDefinitions } from "./pauses.ts"
import { hasID, hasReadyJob, type Query } from "./query.ts"

/**
 * At most one job of each rate-limited definition whose interval has passed. The definition's row is locked first,
 * and the instant of release is read once, after the lock: the same instant dates the claim and starts the next
 * interval, so no two releases are closer than the interval. \`skip locked\` keeps one definition out of the way of
 * the others, and the one that could have released for longest comes first. As everywhere, nothing is claimed under a
 * lease that was revoked, and nothing that is paused.
 */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: claim-limited-jobs
with held as materialized (
    select asked.definition_id, lease.id as lease_id
    from rows from (pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::bigint[])) as asked(definition_id, lease_id)
    join ${schema}.lease on lease.id = asked.lease_id and lease.revoked_by is null
), open_definition as materialized (
    select id, release_interval_ms from ${schema}.job_definition
    where id = any(array(select definition_id from held)) and next_release_at <= statement_timestamp()
        and id <> all(${pausedDefinitions(schema)})
        and ${hasReadyJob(schema, "job_definition.id")}
    order by next_release_at, id
    limit $3::integer
    for update skip locked
), picked as materialized (
    select job.id, open_definition.id as definition_id, clock_timestamp() as released_at
    from open_definition
    cross join lateral (
        select job.id from ${schema}.job
        where job.definition_id = open_definition.id and job.state = 'ready'
            and ${hasNoPausedKey(schema)}
        order by job.priority, job.position
        limit 1
        for update of job skip locked
    ) as job
), released as (
    update ${schema}.job_definition as definition
    set next_release_at = picked.released_at + definition.release_interval_ms * interval '1 ms'
    from picked
    where definition.id = picked.definition_id
)
update ${schema}.job
set ${CLAIM_ASSIGNMENTS}, lease_id = held.lease_id, claimed_at = picked.released_at,
    is_counted = job.lane is not null
from picked
join held on held.definition_id = picked.definition_id
where ${hasID("picked.id")}
returning ${CLAIMED_COLUMNS}`,
)

/** Claims what may be released now, one job a definition and `limit` in all. */
export async function claimLimitedJobs({
    run,
    schema,
    definitions,
    limit,
}: Query & {
    definitions: readonly { definitionID: number; leaseID: number }[]
    limit: number
}): Promise<ClaimedJob[]> {
    const rows = await run(text(schema), [
        numberList(definitions.map((definition) => definition.definitionID)),
        numberList(definitions.map((definition) => definition.leaseID)),
        limit,
    ])
    return rows.map(toClaimedJob)
}
