import { statementText } from "../db/identifier.ts"
import type { Limits } from "../gate.ts"
import { IS_LIVE } from "./daemons.ts"
import { concurrencyKey, groupKey, isReadyIn, LANE_ORDER, rateKey } from "./gate-rules.ts"
import { FACTS, foundJob, type JobFacts, ms, RELATED, type RelatedJob } from "./inspect-job.ts"
import type { PauseScope } from "./pauses.ts"
import type { Query } from "./query.ts"

/** A pause that a job is under. */
export interface PauseFact {
    scope: PauseScope
    name: string
    key: string | null
    reason: string | null
    pausedAtMs: number
}

/** What stands around a job that does not run. Instants are milliseconds since 1970. */
export interface Surroundings {
    /** The first of the jobs that it waits for. */
    required: RelatedJob | null
    pauses: PauseFact[]
    /** Live workers that take its channel, and those of them that know its definition and are not stopping. */
    numWorkers: number
    numKnowing: number
    /** The slots of the latter, and how many jobs of the channel run, as far as that matters. */
    numSlots: number
    numBusy: number
    /** As whoever wrote the definition down last has said. */
    limits: Limits | null
    nextReleaseAtMs: number | null
    releaseIntervalMs: number
    /** How many run that count under the same concurrency limit, up to its maximum, and some of them. */
    numRunning: number
    runningIDs: number[]
    /** What the rate that it counts under remembers. */
    window: { heldUntilMs: number | null; released: [atMs: number, weight: number][] } | null
    /** The job of its group that comes first. */
    first: RelatedJob | null
    /** How many ready jobs come before it, up to `maxAhead`. */
    numAhead: number
}

/** A job, and what stands around it. */
export interface Explained {
    facts: JobFacts
    around: Surroundings
}

/**
 * Reads all that may keep a job from running, in one snapshot, and each by an index and up to a bound. What runs under
 * the same limit is counted as a claim does it. The job of a group that comes first is the one that has begun, or else the
 * first of the lane.
 */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: explain-job
with ${foundJob(schema)}, known as materialized (
    select found.*,
        coalesce((limits -> 'concurrency' ->> 'max')::bigint, 0) as max_running,
        case when (limits -> 'concurrency' ->> 'isKeyed')::boolean then ${concurrencyKey("found.lane")} end as running_key,
        case when (limits -> 'rate' ->> 'isKeyed')::boolean then ${rateKey("found.lane")} else '' end as rate_key,
        coalesce((limits -> 'group' ->> 'isOrdered')::boolean, false) as is_ordered
    from found
), busy as materialized (
    select other.id, other.claimed_at
    from known
    cross join lateral (
        select job.id, job.claimed_at from ${schema}.job
        where known.lane is not null and job.definition_id = known.definition_id and job.state = 'running'
            and job.is_counted
            and (known.running_key is null or ${concurrencyKey("job.lane")} = known.running_key)
        limit known.max_running
    ) as other
), living as materialized (
    select daemon.concurrency, not daemon.is_stopping and known.name = any(daemon.definition_names) as is_knowing
    from known
    join ${schema}.daemon on daemon.kind = 'worker' and daemon.channel = known.channel and ${IS_LIVE}
), begun as materialized (
    select ${RELATED} as job
    from known
    join ${schema}.job as other on known.is_ordered and ${groupKey("known.lane")} <> ''
        and other.definition_id = known.definition_id and other.is_counted
        and ${groupKey("other.lane")} <> '' and ${groupKey("other.lane")} = ${groupKey("known.lane")}
    left join ${schema}.job_definition as definition on definition.id = other.definition_id
    order by other.position
    limit 1
), foremost as materialized (
    select ${RELATED} as job
    from known
    cross join lateral (
        select job.* from ${schema}.job
        where known.is_ordered and ${groupKey("known.lane")} <> '' and ${isReadyIn("known")}
        order by ${LANE_ORDER}
        limit 1
    ) as other
    left join ${schema}.job_definition as definition on definition.id = other.definition_id
)
select ${FACTS}::text, pg_catalog.jsonb_build_object(
    'required', (
        select ${RELATED}
        from (
            select required_id from ${schema}.job_dependency where dependent_id = $1::bigint order by required_id limit 1
        ) as edge
        join ${schema}.job as other on other.id = edge.required_id
        left join ${schema}.job_definition as definition on definition.id = other.definition_id
    ),
    'pauses', coalesce((
        select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'scope', scope, 'name', paused.name, 'key', key, 'reason', paused.reason, 'pausedAtMs', ${ms("paused_at")}
        ) order by paused_at)
        from (
            select scope, pause.name, null as key, pause.reason, paused_at from ${schema}.pause
            where scope = 'everything' or (scope = 'channel' and pause.name = found.channel)
                or (scope = 'definition' and pause.name = found.name)
            union all
            select 'definition', definition, key, paused_key.reason, paused_at from ${schema}.paused_key
            where definition = found.name
                and key in (${groupKey("found.lane")}, ${concurrencyKey("found.lane")}, ${rateKey("found.lane")})
        ) as paused
    ), '[]'),
    'numWorkers', (select count(*) from living),
    'numKnowing', (select count(*) from living where is_knowing),
    'numSlots', (select coalesce(sum(concurrency), 0) from living where is_knowing),
    'numBusy', (
        select count(*) from (
            select from ${schema}.job as other
            join ${schema}.job_definition as definition on definition.id = other.definition_id
            where other.state = 'running' and definition.channel = found.channel
            limit $3::integer
        ) as others
    ),
    'limits', found.limits,
    'nextReleaseAtMs', ${ms("found.next_release_at")}, 'releaseIntervalMs', found.release_interval_ms,
    'numRunning', (select count(*) from busy),
    'runningIDs', coalesce((select pg_catalog.jsonb_agg(id order by claimed_at, id) from (
        select * from busy order by claimed_at, id limit 10
    ) as seen), '[]'),
    'window', (
        select pg_catalog.jsonb_build_object(
            'heldUntilMs', ${ms("rate.held_until")},
            'released', coalesce((
                select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(${ms("past.released_at")}, past.weight) order by past.released_at)
                from rows from (pg_catalog.unnest(rate.released_at), pg_catalog.unnest(rate.weights)) as past(released_at, weight)
            ), '[]')
        )
        from ${schema}.rate_window as rate
        where rate.definition_id = known.definition_id and rate.key = known.rate_key
    ),
    'first', coalesce((select job from begun), (select job from foremost)),
    'numAhead', (
        select count(*) from (
            select * from (
                select other.id from ${schema}.job as other
                where found.lane is null and other.definition_id = found.definition_id and other.state = 'ready'
                    and (other.priority, other.position) < (found.priority, found.position)
                order by other.priority, other.position
                limit $2::integer
            ) as plain
            union all
            select * from (
                select job.id from ${schema}.job
                where found.lane is not null and ${isReadyIn("found")}
                    and (job.priority, job.position) < (found.priority, found.position)
                order by ${LANE_ORDER}
                limit $2::integer
            ) as gated
        ) as ahead
    )
)::text
from found
cross join known`,
)

/** The most that is counted of what stands before a job, and of what runs in its channel. */
export const MAX_AHEAD = 1_000
const MAX_BUSY = 20_000

/** Reads a job and what stands around it; undefined when it is neither live nor in history. */
export async function explainJob({
    run,
    schema,
    id,
}: Query & { id: number }): Promise<Explained | undefined> {
    const [row] = await run(text(schema), [id, MAX_AHEAD, MAX_BUSY])
    if (row === undefined) return undefined
    return {
        facts: JSON.parse(row[0] ?? "{}") as JobFacts,
        around: JSON.parse(row[1] ?? "{}") as Surroundings,
    }
}
