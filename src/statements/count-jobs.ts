import { statementText } from "../db/identifier.ts"
import { FIRST_RETENTION_SLOT } from "./history-rings.ts"
import { pausedDefinitions } from "./pauses.ts"
import type { Query } from "./query.ts"

/** How many rows a count looks at: of each state, and of each definition's ready jobs and dead letters. */
export interface CountBounds {
    /** Of all definitions together, to be shared by them. */
    numReady: number
    /** Of each state that has no index by definition. */
    numOthers: number
    /** Of the edges that blocked jobs are found by, each of which costs a look at a job more. */
    numEdges: number
}

/** What was counted of a definition. Where a number is as large as what was looked at, there may be more. */
export interface DefinitionCountRow {
    name: string
    channel: string
    isPaused: boolean
    numPausedKeys: number
    numReady: number
    numDead: number
    numDelayed: number
    numBlocked: number
    numRunning: number
    numFailing: number
    /** The ready job that has been due for longest, and since when, in milliseconds since 1970. */
    oldestID: number | null
    oldestAtMs: number | null
}

/** What was counted, and what the server knows of the sizes of tables and indexes. */
export interface CountRows {
    atMs: number
    /** How many ready jobs, and how many dead letters, of each definition were looked at. */
    maxOfDefinition: number
    /** How many edges of dependencies were looked at. */
    numEdges: number
    /** Rows by the server's statistics. */
    estimates: { ready: number; delayed: number; running: number; edges: number; finalized: number }
    definitions: DefinitionCountRow[]
}

/**
 * Counts by ranges of partial indexes, each up to a bound, so that what it costs does not grow with the queue. Ready jobs
 * and dead letters have indexes by definition; of each definition a share of the bound is looked at. Other states have
 * none, for it would cost every job: of them the first ones of their index are counted, whatever their definition. Blocked
 * jobs have no index at all, but each has an edge. How many finalized jobs there are nobody counts: the server's statistics
 * say so, partition by partition. `$4` is the schema, quoted, since names of indexes are looked up as text.
 */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: count-jobs
with definition as materialized (
    select id, name, channel from ${schema}.job_definition where retired_by is null
), share as materialized (
    select greatest(20, least($2::bigint, $1::bigint / greatest(count(*), 1))) as num from definition
), edge as materialized (
    select dependent_id from ${schema}.job_dependency order by dependent_id limit $5::bigint
), other as materialized (
    select definition_id, state, count(*) as num
    from (
        select * from (
            select definition_id, 'delayed' as state from ${schema}.job
            where job.state = 'delayed' order by due_at, id limit $3::bigint
        ) as delayed
        union all
        select * from (
            select definition_id, 'running' from ${schema}.job
            where job.state = 'running' order by lease_id limit $3::bigint
        ) as running
        union all
        select * from (
            select definition_id, 'failing' from ${schema}.job
            where job.state in ('unmet', 'exhausted') order by id limit $3::bigint
        ) as failing
        union all
        select job.definition_id, 'blocked'
        from (select distinct dependent_id from edge) as dependent
        join ${schema}.job on job.id = any(array[dependent.dependent_id])
        where job.state = 'blocked'
    ) as job
    group by definition_id, state
), counted as (
    select definition.name, definition.channel, definition.id = any(${pausedDefinitions(schema)}) as is_paused,
        (select count(*) from ${schema}.paused_key where paused_key.definition = definition.name) as num_paused_keys,
        ready.num as num_ready, dead.num as num_dead, oldest.id as oldest_id, oldest.due_at as oldest_at,
        definition.id as definition_id
    from definition
    cross join share
    cross join lateral (
        select count(*) as num from (
            select from ${schema}.job
            where job.definition_id = definition.id and job.state = 'ready'
            order by job.priority, job.position
            limit share.num
        ) as seen
    ) as ready
    cross join lateral (
        select count(*) as num from (
            select from ${schema}.job_history as letter
            where letter.definition_id = definition.id and letter.outcome = 'failed' and letter.slot >= ${FIRST_RETENTION_SLOT}
            order by letter.finalized_at, letter.id
            limit share.num
        ) as seen
    ) as dead
    left join lateral (
        select head.id, head.due_at
        from (
            select 0 as priority
            union
            select priority from ${schema}.job_priority where job_priority.definition_id = definition.id
        ) as lane
        cross join lateral (
            select job.id, job.due_at from ${schema}.job
            where job.definition_id = definition.id and job.priority = lane.priority and job.state = 'ready'
            order by job.position
            limit 1
        ) as head
        order by head.due_at
        limit 1
    ) as oldest on true
)
select pg_catalog.jsonb_build_object(
    'atMs', date_part('epoch', statement_timestamp()) * 1000::double precision,
    'maxOfDefinition', (select num from share),
    'numEdges', (select count(*) from edge),
    'estimates', (
        select pg_catalog.jsonb_build_object(
            'ready', coalesce(sum(reltuples) filter (where relname = 'job_ready_idx'), 0),
            'delayed', coalesce(sum(reltuples) filter (where relname = 'job_delayed_idx'), 0),
            'running', coalesce(sum(reltuples) filter (where relname = 'job_running_idx'), 0),
            'edges', (select reltuples from pg_catalog.pg_class where oid = to_regclass($4::text || '.job_dependency')),
            'finalized', (
                select coalesce(sum(greatest(pg_stat_get_live_tuples(inhrelid), part.reltuples)), 0)
                from pg_catalog.pg_inherits
                join pg_catalog.pg_class as part on part.oid = inhrelid
                where inhparent = to_regclass($4::text || '.job_history')
            )
        )
        from pg_catalog.pg_index
        join pg_catalog.pg_class on pg_class.oid = indexrelid
        where indrelid = to_regclass($4::text || '.job') and reltuples > 0
    ),
    'definitions', (
        select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'name', name, 'channel', channel, 'isPaused', is_paused, 'numPausedKeys', num_paused_keys,
            'numReady', num_ready, 'numDead', num_dead,
            'oldestID', oldest_id, 'oldestAtMs', date_part('epoch', oldest_at) * 1000::double precision,
            'numDelayed', coalesce(num_delayed, 0), 'numBlocked', coalesce(num_blocked, 0),
            'numRunning', coalesce(num_running, 0), 'numFailing', coalesce(num_failing, 0)
        ) order by name)
        from counted
        left join (
            select definition_id,
                sum(num) filter (where state = 'delayed') as num_delayed,
                sum(num) filter (where state = 'blocked') as num_blocked,
                sum(num) filter (where state = 'running') as num_running,
                sum(num) filter (where state = 'failing') as num_failing
            from other
            group by definition_id
        ) as sums on sums.definition_id = counted.definition_id
    )
)::text`,
)

/** The most that is looked at of one definition, however few there are. */
const MAX_OF_DEFINITION = 10_000

/** Counts jobs, each state up to a bound. */
export async function countJobs({
    run,
    schema,
    bounds,
}: Query & { bounds: CountBounds }): Promise<CountRows> {
    const [row] = await run(text(schema), [
        bounds.numReady,
        MAX_OF_DEFINITION,
        bounds.numOthers,
        schema,
        bounds.numEdges,
    ])
    const rows = JSON.parse(row?.[0] ?? "{}") as CountRows
    return { ...rows, definitions: rows.definitions ?? [] }
}
