import { statementText } from "../db/identifier.ts"
import type { Query } from "./query.ts"

/** What has been left undone for longer than it should take. */
export interface OverdueWork {
    /** Leases that lapsed, with jobs that still run under them, and the workers that had them. */
    numLapsedLeases: number
    lapsedWorkers: string[]
    /** Delayed jobs that are due and were not made ready, by definition, up to a bound. */
    delayed: { definition: string; channel: string; num: number }[]
    /** Ticks of schedules and of definitions that are overdue. */
    numOverdueTicks: number
    /** Operations that have not ended, and that nobody has been at, up to a bound. */
    numWaitingOperations: number
}

/** Each by an index and up to a bound. The clock is read once for delayed jobs, so that those are not looked at that are not due. */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: check-queue
with lapsed as materialized (
    select worker from ${schema}.lease
    where expires_at < clock_timestamp() - $1::double precision * interval '1 ms'
        and exists (select from ${schema}.job where job.state = 'running' and job.lease_id = lease.id)
    order by id
    limit $2::integer
), overdue as materialized (
    select definition_id from ${schema}.job
    where state = 'delayed' and due_at < (select clock_timestamp()) - $1::double precision * interval '1 ms'
    order by due_at, id
    limit $2::integer
)
select pg_catalog.jsonb_build_object(
    'numLapsedLeases', (select count(*) from lapsed),
    'lapsedWorkers', coalesce((
        select pg_catalog.jsonb_agg(worker) from (select distinct worker from lapsed order by worker limit 10) as names
    ), '[]'),
    'delayed', coalesce((
        select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'definition', name, 'channel', channel, 'num', num
        ) order by name)
        from (select definition_id, count(*) as num from overdue group by definition_id) as sums
        join ${schema}.job_definition on job_definition.id = sums.definition_id
    ), '[]'),
    'numOverdueTicks', (
        select count(*) from ${schema}.job_definition
        where retired_at is null and next_repeat_at < clock_timestamp() - $1::double precision * interval '1 ms'
            and coalesce(repeat_interval_ms::text, repeat_cron) is not null
    ) + (
        select count(*) from ${schema}.schedule
        where paused_at is null and next_repeat_at < clock_timestamp() - $1::double precision * interval '1 ms'
    ),
    'numWaitingOperations', (
        select count(*) from (
            select from ${schema}.operation
            where state in ('waiting', 'running')
                and coalesce(held_until, asked_at) < clock_timestamp() - $1::double precision * interval '1 ms'
            limit $2::integer
        ) as waiting
    )
)::text`,
)

/** The most that is looked at of each. */
const MAX_SEEN = 1_000

/** Finds what should have been done `graceMs` ago. */
export async function checkQueue({
    run,
    schema,
    graceMs,
}: Query & { graceMs: number }): Promise<OverdueWork> {
    const [row] = await run(text(schema), [graceMs, MAX_SEEN])
    return JSON.parse(row?.[0] ?? "{}") as OverdueWork
}
