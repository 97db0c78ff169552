import { jsonList, numberList } from "../db/encode.ts"
import { statementText } from "../db/identifier.ts"
import { CLAIM_ASSIGNMENTS, CLAIMED_COLUMNS, type ClaimedJob, toClaimedJob } from "./claim-jobs.ts"
import { NUM_GATE_SLOTS } from "./gates.ts"
import { pausedDefinitions } from "./pauses.ts"
import { hasID, PREPARED_WHILE_QUICK, type Query } from "./query.ts"

/** A gated definition, as a claim is to treat it. */
export interface GatedDefinition {
    definitionID: number
    leaseID: number
    /** The claim goes through the lanes after this one, in their order; the empty text is before them all. */
    afterLane: string
    /** The most jobs that may run at the same time. */
    maxRunning: number
    /** Whether each key may have so many, or the whole definition. */
    isKeyed: boolean
}

/** How far a claim has come with a definition. */
export interface GatedProgress {
    definitionID: number
    /** Where the next claim is to go on: the empty text when this one has seen the last lane. */
    afterLane: string
    /** A lane has more than its share that could run now. */
    hasMore: boolean
    /** Another claim was under way, or had just ended: what could run may be more than we took. */
    isContended: boolean
}

/** Of a job whose lane is given, the key that it is counted under. */
const concurrencyKey = (lane: string) => /* sql */ `split_part(${lane}, chr(31), 2)`

/**
 * Goes through the lanes that have ready jobs, by one descent of the index each, until enough of them have room, and
 * takes a share of each. Lanes that are full cost no more than the look at them.
 *
 * How many jobs run is counted in the snapshot. That no claim came in between is certain, because each raises the
 * version of the slots that its buckets are in: we lock those, skipping locked ones, where the version is still the one
 * in our snapshot, which is checked on the newest row. Ends of jobs know nothing of it: they only make room. As
 * everywhere, nothing is claimed under a lease that was revoked, and nothing of a definition that is paused.
 */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: claim-gated-jobs
with recursive asked as materialized (
    select asked.definition_id, asked.lease_id, coalesce(asked.after_lane, '') collate "C" as after_lane,
        asked.max_running, asked.is_keyed = 1 as is_keyed
    from rows from (
        pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::bigint[]),
        pg_catalog.unnest(string_to_array($3, chr(30), '')), pg_catalog.unnest($4::bigint[]), pg_catalog.unnest($5::integer[])
    ) as asked(definition_id, lease_id, after_lane, max_running, is_keyed)
    where exists (select from ${schema}.lease where lease.id = asked.lease_id and lease.revoked_by is null)
        and asked.definition_id <> all(${pausedDefinitions(schema)})
), open as materialized (
    select asked.*, case when not asked.is_keyed then asked.max_running - (
        select count(*) from (
            select from ${schema}.job
            where job.definition_id = asked.definition_id and job.state = 'running' and job.lane is not null
            limit asked.max_running
        ) as busy
    ) end as room
    from asked
), visited as (
    select definition_id, after_lane as lane, 0 as turn, 0 as num_open, 0::bigint as room
    from open
    where coalesce(room, 1) > 0
    union all
    select visited.definition_id, following.lane, visited.turn + 1,
        visited.num_open + case when space.room > 0 then 1 else 0 end, space.room
    from visited
    join open on open.definition_id = visited.definition_id
    cross join lateral (
        select job.lane from ${schema}.job
        where job.definition_id = visited.definition_id and job.state = 'ready' and job.lane is not null
            and job.lane > visited.lane
        order by job.definition_id, job.lane
        limit 1
    ) as following
    cross join lateral (
        select coalesce(open.room, open.max_running - (
            select count(*) from (
                select from ${schema}.job
                where job.definition_id = visited.definition_id and job.state = 'running' and job.lane is not null
                    and ${concurrencyKey("job.lane")} = ${concurrencyKey("following.lane")}
                limit open.max_running
            ) as busy
        )) as room
    ) as space
    where visited.num_open < $6::integer and visited.turn < $7::integer
), wanted as materialized (
    select visited.definition_id, visited.lane, visited.turn, visited.room, bucket.key,
        case when open.is_keyed then hashtext(bucket.key) & ${NUM_GATE_SLOTS - 1} else 0 end as slot,
        ceil($6::double precision / count(*) over ())::bigint as share
    from visited
    join open on open.definition_id = visited.definition_id
    cross join lateral (
        select case when open.is_keyed then ${concurrencyKey("visited.lane")} else '' end as key
    ) as bucket
    where visited.turn > 0 and visited.room > 0
), seen as materialized (
    select definition_id, slot, version from ${schema}.gate
    where (definition_id, slot) in (select definition_id, slot from wanted)
), locked as materialized (
    select gate.definition_id, gate.slot
    from seen
    join ${schema}.gate
        on gate.definition_id = seen.definition_id and gate.slot = seen.slot and gate.version = seen.version
    for update of gate skip locked
), candidate as materialized (
    select wanted.definition_id, wanted.slot, wanted.turn, wanted.room, wanted.share, ready.id, ready.place,
        row_number() over (
            partition by wanted.definition_id, wanted.key order by ready.place, wanted.turn
        ) as place_in_bucket
    from wanted
    join locked on locked.definition_id = wanted.definition_id and locked.slot = wanted.slot
    cross join lateral (
        select job.id, row_number() over (order by job.priority, job.position) as place
        from ${schema}.job
        where job.definition_id = wanted.definition_id and job.lane = wanted.lane and job.state = 'ready'
        order by job.priority, job.position
        limit least(wanted.share, wanted.room)
    ) as ready
), chosen as materialized (
    select * from candidate
    where place_in_bucket <= room
    order by place, turn
    limit $6::integer
), picked as materialized (
    select job.id, chosen.definition_id, chosen.slot
    from chosen
    join ${schema}.job on ${hasID("chosen.id")}
    where job.state = 'ready'
    for update of job skip locked
), raised as (
    update ${schema}.gate set version = gate.version + 1
    from (select distinct definition_id, slot from picked) as used
    where gate.definition_id = used.definition_id and gate.slot = used.slot
), claimed as (
    update ${schema}.job
    set ${CLAIM_ASSIGNMENTS}, lease_id = asked.lease_id, claimed_at = clock_timestamp()
    from picked
    join asked on asked.definition_id = picked.definition_id
    where ${hasID("picked.id")}
    returning ${CLAIMED_COLUMNS}
)
select claimed.*, null, null, null from claimed
union all
select null, null, null, asked.definition_id, null, null, null, null, null, null,
    case when last.num_open >= $6::integer or last.turn >= $7::integer then last.lane else '' end,
    exists (
        select from candidate
        where candidate.definition_id = asked.definition_id
            and place = share and share < room
    ),
    exists (
        select from wanted
        where wanted.definition_id = asked.definition_id and not exists (
            select from locked where locked.definition_id = wanted.definition_id and locked.slot = wanted.slot
        )
    )
from asked
left join lateral (
    select * from visited where visited.definition_id = asked.definition_id order by turn desc limit 1
) as last on true`,
)

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
}): Promise<{ jobs: ClaimedJob[]; progress: GatedProgress[] }> {
    const values = [
        numberList(definitions.map((definition) => definition.definitionID)),
        numberList(definitions.map((definition) => definition.leaseID)),
        jsonList(definitions.map((definition) => definition.afterLane)),
        numberList(definitions.map((definition) => definition.maxRunning)),
        numberList(definitions.map((definition) => Number(definition.isKeyed))),
        limit,
        maxLanes,
    ]
    const rows = await run(text(schema), values, PREPARED_WHILE_QUICK)
    const isJob = (row: readonly (string | null)[]) => typeof row[0] === "string"
    return {
        jobs: rows
            .filter(isJob)
            .map(toClaimedJob)
            .sort((a, b) => a.position - b.position),
        progress: rows.filter((row) => !isJob(row)).map(toProgress),
    }
}

function toProgress(row: readonly (string | null)[]): GatedProgress {
    return {
        definitionID: Number(row[3]),
        afterLane: row[10] ?? "",
        hasMore: row[11] === "t",
        isContended: row[12] === "t",
    }
}
