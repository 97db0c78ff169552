import { jsonList, numberList } from "../db/encode.ts"
import { statementText } from "../db/identifier.ts"
import { CLAIM_ASSIGNMENTS, CLAIMED_COLUMNS } from "./claim-jobs.ts"
import { concurrencyKey, groupKey, isReadyIn, LANE_ORDER } from "./gate-rules.ts"
import { type ClaimedLanes, NO_JOB, NO_PROGRESS, toLaneClaim, type VisitedDefinition } from "./lane-claims.ts"
import { nameWithPausedKeys, pauseOfLane } from "./paused-keys.ts"
import { pausedDefinitions } from "./pauses.ts"
import { hasID, IS_READY, PREPARED_WHILE_QUICK, type Query } from "./query.ts"

/**
 * What `claim-gated-jobs` does, for definitions whose jobs only take turns: no claim has to know of another, so
 * nothing is counted and nothing but jobs is locked. Only jobs that were deferred under a limit by key count all the
 * same, for workers that know of it. Goes through the lanes that have ready jobs, by one descent of the index each,
 * which brings the first job of the lane as well. Where there are as many lanes as jobs wanted, those are the jobs;
 * where there are fewer, it goes to each lane again for its share. A job that someone else holds locked is passed
 * over, and its lane's next comes with the next round. As everywhere, nothing is claimed under a lease that was
 * revoked, and nothing that is paused; of a group that is, it goes on after the last lane that it could have.
 */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: claim-grouped-jobs
with recursive asked as materialized (
    select asked.definition_id, asked.lease_id, coalesce(asked.after_lane, '') collate "C" as after_lane,
        ${nameWithPausedKeys(schema)} as name_with_paused_keys
    from rows from (
        pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::bigint[]),
        pg_catalog.unnest(string_to_array($3, chr(30), ''))
    ) as asked(definition_id, lease_id, after_lane)
    where exists (select from ${schema}.lease where lease.id = asked.lease_id and lease.revoked_by is null)
        and asked.definition_id <> all(${pausedDefinitions(schema)})
), visited as (
    select definition_id, lease_id, name_with_paused_keys, after_lane as lane,
        0 as turn, 0 as num_open, null::bigint as id, false as is_open
    from asked
    union all
    select asked.definition_id, asked.lease_id, asked.name_with_paused_keys,
        case when paused.is_group then ${groupKey("first.lane")} || chr(32) else first.lane end,
        asked.turn + 1, asked.num_open + case when paused.is_group is null then 1 else 0 end,
        first.id, paused.is_group is null
    from visited as asked
    cross join lateral (
        select job.lane, job.id from ${schema}.job
        where job.definition_id = asked.definition_id and ${IS_READY} and job.lane is not null
            and job.lane > asked.lane
        order by ${LANE_ORDER}
        limit 1
    ) as first
    cross join lateral (${pauseOfLane(schema, "first.lane")}) as paused
    where asked.num_open < $4::integer and asked.turn < $5::integer
), wanted as materialized (
    select definition_id, lease_id, lane, turn, id,
        ceil($4::double precision / count(*) over ())::bigint as share
    from visited
    where is_open
), candidate as materialized (
    select definition_id, lease_id, turn, share, id, 1::bigint as place from wanted where share = 1
    union all
    select wanted.definition_id, wanted.lease_id, wanted.turn, wanted.share, ready.id, ready.place
    from wanted
    cross join lateral (
        select job.id, row_number() over (order by ${LANE_ORDER}) as place
        from ${schema}.job
        where wanted.share > 1 and ${isReadyIn("wanted")}
        order by ${LANE_ORDER}
        limit wanted.share
    ) as ready
), chosen as materialized (
    select id, lease_id from candidate order by place, turn limit $4::integer
), picked as materialized (
    select job.id, chosen.lease_id
    from chosen
    join ${schema}.job on ${hasID("chosen.id")}
    where ${IS_READY}
    for update of job skip locked
), claimed as (
    update ${schema}.job
    set ${CLAIM_ASSIGNMENTS}, lease_id = picked.lease_id, claimed_at = clock_timestamp(),
        is_counted = job.is_counted or ${concurrencyKey("job.lane")} <> ''
    from picked
    where ${hasID("picked.id")}
    returning ${CLAIMED_COLUMNS}
)
select claimed.*, ${NO_PROGRESS} from claimed
union all
select ${NO_JOB},
    case when last.num_open >= $4::integer or last.turn >= $5::integer then last.lane else '' end,
    exists (select from candidate where candidate.definition_id = asked.definition_id and place = share and share > 1),
    false, null
from asked
left join lateral (
    select * from visited where visited.definition_id = asked.definition_id order by turn desc limit 1
) as last on true`,
)

/** Claims up to `limit` jobs of definitions whose jobs take turns, going through up to `maxLanes` lanes of each. */
export async function claimGroupedJobs({
    run,
    schema,
    definitions,
    limit,
    maxLanes,
}: Query & {
    definitions: readonly VisitedDefinition[]
    limit: number
    maxLanes: number
}): Promise<ClaimedLanes> {
    const values = [
        numberList(definitions.map(({ definitionID }) => definitionID)),
        numberList(definitions.map(({ leaseID }) => leaseID)),
        jsonList(definitions.map(({ afterLane }) => afterLane)),
        limit,
        maxLanes,
    ]
    return toLaneClaim(await run(text(schema), values, PREPARED_WHILE_QUICK))
}
