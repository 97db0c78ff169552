import { jsonList, numberList } from "../db/encode.ts"
import { statementText } from "../db/identifier.ts"
import { CLAIM_ASSIGNMENTS, CLAIMED_COLUMNS } from "./claim-jobs.ts"
import {
    concurrencyKey,
    groupKey,
    isReadyIn,
    LANE_ORDER,
    PERIOD,
    rateKey,
    releasedRoom,
    slotBit,
} from "./gate-rules.ts"
import { type ClaimedLanes, NO_JOB, NO_PROGRESS, toLaneClaim, type VisitedDefinition } from "./lane-claims.ts"
import { nameWithPausedKeys, pauseOfLane } from "./paused-keys.ts"
import { pausedDefinitions } from "./pauses.ts"
import { hasID, IS_READY, PREPARED_WHILE_QUICK, type Query } from "./query.ts"

/**
 * Goes through the lanes that have ready jobs, by one descent of the index each, until enough of them have room, and
 * takes a share of each. Lanes that are full cost no more than one look at them, which `offset 0` keeps from being many.
 *
 * How many jobs run is counted in the snapshot, and so is what was released. That no claim came in between is certain,
 * because each raises the version of the slots that its buckets are in: we lock those, skipping locked ones, where the
 * version is still that of our snapshot, which is checked on the newest row. Ends of jobs only make room. As everywhere,
 * nothing is claimed under a lease that was revoked, and nothing that is paused. A lane that is counts as full, but a
 * group that is costs no more than one look, however many lanes it has: we go on after the last one that it could have.
 *
 * The instant of release is read once, after the locks, so that what is released within any period is what was counted.
 * The releases of a 64th of the period are remembered as one, at the last of their instants.
 */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: claim-gated-jobs
with recursive requested as materialized (
    select asked.definition_id, asked.lease_id, coalesce(asked.after_lane, '') collate "C" as after_lane,
        asked.max_running, asked.is_running_keyed = 1 as is_running_keyed,
        asked.max_released, asked.per_ms, asked.is_rate_keyed = 1 as is_rate_keyed, asked.is_ordered = 1 as is_ordered,
        ${nameWithPausedKeys(schema)} as name_with_paused_keys
    from rows from (
        pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::bigint[]),
        pg_catalog.unnest(string_to_array($3, chr(30), '')),
        pg_catalog.unnest($4::bigint[]), pg_catalog.unnest($5::integer[]),
        pg_catalog.unnest($6::bigint[]), pg_catalog.unnest($7::double precision[]), pg_catalog.unnest($8::integer[]),
        pg_catalog.unnest($9::integer[])
    ) as asked(
        definition_id, lease_id, after_lane, max_running, is_running_keyed, max_released, per_ms, is_rate_keyed,
        is_ordered
    )
    where exists (select from ${schema}.lease where lease.id = asked.lease_id and lease.revoked_by is null)
        and asked.definition_id <> all(${pausedDefinitions(schema)})
), open as materialized (
    select asked.*, rate.room as released_room, rate.next_at,
        case when asked.max_running is not null and not asked.is_running_keyed then asked.max_running - (
            select count(*) from (
                select from ${schema}.job
                where job.definition_id = asked.definition_id and job.state = 'running' and job.is_counted
                limit asked.max_running
            ) as busy
        ) end as running_room
    from requested as asked
    left join lateral (
        ${releasedRoom(schema, "''")}
        where asked.max_released is not null and not asked.is_rate_keyed
    ) as rate on true
), visited as (
    select definition_id, after_lane as lane, 0 as turn, 0 as num_open,
        0::bigint as running_room, 0::bigint as released_room, null::timestamptz as next_at, false as is_open
    from open
    where coalesce(running_room, 1) > 0 and coalesce(released_room, 1) > 0
    union all
    select visited.definition_id,
        case when paused.is_group then ${groupKey("following.lane")} || chr(32) else following.lane end,
        visited.turn + 1, visited.num_open + case when space.is_open then 1 else 0 end,
        running.room, coalesce(asked.released_room, rate.room), rate.next_at, space.is_open
    from visited
    join open as asked on asked.definition_id = visited.definition_id
    cross join lateral (
        select job.lane from ${schema}.job
        where job.definition_id = visited.definition_id and ${IS_READY} and job.lane is not null
            and job.lane > visited.lane
        order by job.definition_id, job.lane
        limit 1
    ) as following
    cross join lateral (${pauseOfLane(schema, "following.lane")}) as paused
    cross join lateral (
        select case when not asked.is_running_keyed then asked.running_room else asked.max_running - (
            select count(*) from (
                select from ${schema}.job
                where job.definition_id = visited.definition_id and job.state = 'running' and job.is_counted
                    and ${concurrencyKey("job.lane")} = ${concurrencyKey("following.lane")}
                limit asked.max_running
            ) as busy
        ) end as room
        offset 0
    ) as running
    left join lateral (
        ${releasedRoom(schema, rateKey("following.lane"))}
        where asked.is_rate_keyed and paused.is_group is null
    ) as rate on true
    cross join lateral (
        select paused.is_group is null and coalesce(running.room, 1) > 0 and coalesce(asked.released_room, rate.room, 1) > 0
            and not (asked.is_ordered and exists (
                select from ${schema}.job
                where job.definition_id = visited.definition_id and job.is_counted
                    and ${groupKey("job.lane")} <> '' and ${groupKey("job.lane")} = ${groupKey("following.lane")}
                    and (job.state <> 'ready' or job.lane <> following.lane)
            )) as is_open
        offset 0
    ) as space
    where visited.num_open < $10::integer and visited.turn < $11::integer
), wanted as materialized (
    select asked.*, visited.lane, visited.turn, visited.running_room as room, visited.released_room as weight_room,
        ceil($10::double precision / count(*) over ())::bigint as share,
        bucket.running_key, bucket.rate_key,
        case when asked.is_ordered then ${slotBit("g", groupKey("visited.lane"))} else 0 end
            | case when asked.max_running is not null then ${slotBit("c", "bucket.running_key")} else 0 end
            | case when asked.max_released is not null then ${slotBit("r", "bucket.rate_key")} else 0 end as slots,
        case when asked.is_ordered then (
            select job.id from ${schema}.job
            where job.definition_id = visited.definition_id and job.is_counted
                and ${groupKey("job.lane")} <> '' and ${groupKey("job.lane")} = ${groupKey("visited.lane")}
            order by job.position
            limit 1
        ) end as begun_id
    from visited
    join open as asked on asked.definition_id = visited.definition_id
    cross join lateral (
        select
            case when asked.is_running_keyed then ${concurrencyKey("visited.lane")} else '' end as running_key,
            case when asked.is_rate_keyed then ${rateKey("visited.lane")} else '' end as rate_key
    ) as bucket
    where visited.is_open
), seen as materialized (
    select gate.definition_id, gate.slot, gate.version
    from (select definition_id, bit_or(slots) as slots from wanted group by definition_id) as needed
    join ${schema}.gate on gate.definition_id = needed.definition_id and (needed.slots >> gate.slot) & 1 = 1
), locked as materialized (
    select gate.definition_id, gate.slot
    from seen
    join ${schema}.gate
        on gate.definition_id = seen.definition_id and gate.slot = seen.slot and gate.version = seen.version
    for update of gate skip locked
), ours as materialized (
    select definition_id, bit_or(1::bigint << slot) as slots from locked group by definition_id
), moment as materialized (
    select clock_timestamp() as released_at from (select count(*) from locked) as after_locks
), candidate as materialized (
    select wanted.*, ready.id, ready.weight, ready.place,
        row_number() over (
            partition by wanted.definition_id, wanted.running_key order by ready.place, wanted.turn
        ) as running_place,
        sum(ready.weight) over (
            partition by wanted.definition_id, wanted.rate_key order by ready.place, wanted.turn
        ) as weight_so_far,
        row_number() over (
            partition by wanted.definition_id, ${groupKey("wanted.lane")} order by ready.place, wanted.turn
        ) as group_place
    from wanted
    left join ours on ours.definition_id = wanted.definition_id
    cross join lateral (
        select job.id, least(job.weight, wanted.max_released) as weight, 1 as place from ${schema}.job
        where job.id = wanted.begun_id and ${IS_READY}
        union all
        select * from (
            select job.id, least(job.weight, wanted.max_released) as weight,
                row_number() over (order by ${LANE_ORDER}) as place
            from ${schema}.job
            where wanted.begun_id is null and ${isReadyIn("wanted")}
            order by ${LANE_ORDER}
            limit least(wanted.share, wanted.room, wanted.weight_room, case when wanted.is_ordered then 1 end)
        ) as first
    ) as ready
    where wanted.slots & ~coalesce(ours.slots, 0) = 0
), chosen as materialized (
    select * from candidate
    where (max_running is null or running_place <= room)
        and (max_released is null or weight_so_far <= weight_room)
        and (not is_ordered or group_place = 1)
    order by place, turn
    limit $10::integer
), picked as materialized (
    select job.id, chosen.definition_id, chosen.lease_id, chosen.slots, chosen.rate_key, chosen.weight,
        chosen.max_released, chosen.per_ms
    from chosen
    join ${schema}.job on ${hasID("chosen.id")}
    where ${IS_READY}
    for update of job skip locked
), raised as (
    update ${schema}.gate set version = gate.version + 1
    from (select definition_id, bit_or(slots) as slots from picked group by definition_id) as used
    where gate.definition_id = used.definition_id and (used.slots >> gate.slot) & 1 = 1
), spent as materialized (
    select definition_id, rate_key, per_ms, sum(weight)::bigint as weight
    from picked
    where max_released is not null
    group by definition_id, rate_key, per_ms
), remembered as (
    insert into ${schema}.rate_window (definition_id, key, released_at, weights, idle_at)
    select asked.definition_id, asked.rate_key, period.released_at, period.weights, moment.released_at + ${PERIOD}
    from spent as asked
    cross join moment
    cross join lateral (
        select
            pg_catalog.array_agg(slice.released_at order by slice.released_at) as released_at,
            pg_catalog.array_agg(slice.weight order by slice.released_at) as weights
        from (
            select max(entry.released_at) as released_at, sum(entry.weight)::bigint as weight
            from (
                select moment.released_at, asked.weight
                union all
                select past.released_at, past.weight
                from ${schema}.rate_window as bucket
                cross join lateral rows from (
                    pg_catalog.unnest(bucket.released_at), pg_catalog.unnest(bucket.weights)
                ) as past(released_at, weight)
                where bucket.definition_id = asked.definition_id and bucket.key = asked.rate_key
                    and past.released_at > moment.released_at - ${PERIOD}
            ) as entry
            group by floor(date_part('epoch', entry.released_at) * 64000::double precision / asked.per_ms)
        ) as slice
    ) as period
    order by asked.definition_id, asked.rate_key
    on conflict (definition_id, key) do update
    set released_at = excluded.released_at, weights = excluded.weights,
        idle_at = greatest(rate_window.idle_at, excluded.idle_at)
), claimed as (
    update ${schema}.job
    set ${CLAIM_ASSIGNMENTS}, lease_id = picked.lease_id, claimed_at = moment.released_at,
        is_counted = true
    from picked
    cross join moment
    where ${hasID("picked.id")}
    returning ${CLAIMED_COLUMNS}
)
select claimed.*, ${NO_PROGRESS} from claimed
union all
select ${NO_JOB},
    case when last.num_open >= $10::integer or last.turn >= $11::integer then last.lane else '' end,
    exists (
        select from candidate
        where candidate.definition_id = asked.definition_id and not is_ordered
            and place = share and share < coalesce(least(room, weight_room), share + 1)
    ),
    exists (
        select from wanted
        left join ours on ours.definition_id = wanted.definition_id
        where wanted.definition_id = asked.definition_id and wanted.slots & ~coalesce(ours.slots, 0) <> 0
    ),
    date_part('epoch', least(
        asked.next_at,
        (select min(visited.next_at) from visited where visited.definition_id = asked.definition_id),
        (select moment.released_at + ${PERIOD} from spent cross join moment
            where spent.definition_id = asked.definition_id limit 1)
    ) - clock_timestamp()) * 1000::double precision
from open as asked
left join lateral (
    select * from visited where visited.definition_id = asked.definition_id order by turn desc limit 1
) as last on true`,
)

/** A gated definition, as a claim is to treat it. */
export interface GatedDefinition extends VisitedDefinition {
    /** How many jobs may run at the same time, of the definition or of each key. */
    concurrency: { max: number; isKeyed: boolean } | null
    /** How much may be released within any `perMs`, of the definition or of each key. */
    rate: { max: number; perMs: number; isKeyed: boolean } | null
    /** Whether the jobs of a group run one after the other. */
    isOrdered: boolean
}

/** Claims up to `limit` jobs of gated definitions, going through up to `maxLanes` lanes of each. */
export async function claimGatedJobs({
    run,
    schema,
    definitions,
    limit,
    maxLanes,
}: Query & {
    definitions: readonly GatedDefinition[]
    limit: number
    maxLanes: number
}): Promise<ClaimedLanes> {
    const values = [
        numberList(definitions.map(({ definitionID }) => definitionID)),
        numberList(definitions.map(({ leaseID }) => leaseID)),
        jsonList(definitions.map(({ afterLane }) => afterLane)),
        numberList(definitions.map(({ concurrency }) => concurrency?.max ?? null)),
        numberList(definitions.map(({ concurrency }) => Number(concurrency?.isKeyed ?? false))),
        numberList(definitions.map(({ rate }) => rate?.max ?? null)),
        numberList(definitions.map(({ rate }) => rate?.perMs ?? null)),
        numberList(definitions.map(({ rate }) => Number(rate?.isKeyed ?? false))),
        numberList(definitions.map(({ isOrdered }) => Number(isOrdered))),
        limit,
        maxLanes,
    ]
    return toLaneClaim(await run(text(schema), values, PREPARED_WHILE_QUICK))
}
