import type { Cron } from "../cron/cron-rule.ts"
import { MAX_TICKS, MISSED_AFTER_MS } from "../cron/plan-ticks.ts"
import { numberOrNull } from "../db/cell.ts"
import { jsonList, numberList } from "../db/encode.ts"
import { jobSequence, statementText } from "../db/identifier.ts"
import type { Query } from "./query.ts"
import { REPEAT_COLUMNS, type RepeatSource } from "./repeat-source.ts"

/** What was reckoned for a schedule with a cron expression, from the tick and the expression that it had. */
export interface CronPlan {
    id: number
    cron: Cron
    /** The tick that was found, exactly as it was; null if it had none. */
    tickS: number | null
    /** The ticks that get a job each. */
    dueMs: readonly number[]
    followingMs: number
}

/** A job of a tick, or a tick that got none. */
export interface Repeat {
    jobID: number | null
    jobName: string
    channel: string
    /** Null for a definition's own schedule. */
    scheduleName: string | null
}

/**
 * The jobs of ticks that have come, and the next tick of each schedule. A schedule's row is locked before it is read, so
 * however many orchestrators ask, a tick yields one job. Where an interval says when, the grid is reckoned here, so
 * nothing drifts; no grid is finer than the clock, which counts in microseconds. Where a cron expression does, the plan
 * was made before, and holds only for the tick and the expression that it was made for: if someone else has fired the
 * tick meanwhile, or changed the rule, nothing is done.
 *
 * Who must not overlap gets no job while one of its last jobs is live, and one at a time.
 */
const textOf = (source: RepeatSource) => {
    const row = REPEAT_COLUMNS[source]
    return statementText(
        (schema) => /* sql */ `-- cuckmq: repeat-jobs
with plan as materialized (
    select plan.*
    from rows from (
        pg_catalog.unnest($2::bigint[]), pg_catalog.unnest($3::double precision[]),
        pg_catalog.unnest($4::double precision[]),
        pg_catalog.unnest(string_to_array($5, chr(30))), pg_catalog.unnest(string_to_array($6, chr(30)))
    ) as plan(id, tick_s, following_ms, cron, time_zone)
), locked as materialized (
    select
        id, ${row.definitionID} as definition_id, ${row.payload} as payload, ${row.scheduleName} as schedule_name,
        repeat_cron, repeat_time_zone, on_missed, on_overlap, repeat_job_ids, next_repeat_at,
        greatest(repeat_interval_ms, 0.001::double precision) as interval_ms, repeat_interval_ms is not null as is_grid
    from ${row.table(schema)}
    where id = any($1::bigint[]) and ${row.isDue}
    order by id
    for update skip locked
), missed as materialized (
    select
        *, floor(
            date_part('epoch', statement_timestamp() - next_repeat_at) * 1000::double precision / interval_ms
        ) as num_missed
    from locked
    where is_grid
), grid as materialized (
    select
        *, case when on_missed = 'all' then 0::double precision else num_missed end as first_nth,
        case when on_missed = 'all' then least(num_missed, ${MAX_TICKS - 1}::double precision) else num_missed end as last_nth
    from missed
), planned as materialized (
    select locked.id, plan.following_ms
    from locked
    join plan on plan.id = locked.id
        and to_timestamp(plan.tick_s) is not distinct from locked.next_repeat_at
        and plan.cron = locked.repeat_cron and plan.time_zone = locked.repeat_time_zone
), due as materialized (
    select due.id, due.due_at, row_number() over (partition by due.id order by due.due_at) as turn
    from (
        select grid.id, next_repeat_at + (first_nth + further::double precision) * interval_ms * interval '1 ms' as due_at
        from grid
        cross join lateral generate_series(0, (last_nth - first_nth)::integer) as further
        where on_missed <> 'skip' or date_part('epoch', statement_timestamp() - next_repeat_at) * 1000::double precision
            - num_missed * interval_ms <= ${MISSED_AFTER_MS}::double precision
        union all
        select planned.id, to_timestamp(tick.due_ms / 1000::double precision)
        from rows from (pg_catalog.unnest($7::bigint[]), pg_catalog.unnest($8::double precision[])) as tick(id, due_ms)
        join planned on planned.id = tick.id
    ) as due
), tick as materialized (
    select nextval(${jobSequence(schema)}) as job_id, allowed.*
    from (
        select locked.id, definition_id, payload, due.due_at
        from due
        join locked on locked.id = due.id
        where on_overlap <> 'skip' or due.turn = 1
            and not exists (select from ${schema}.job where job.id = any(locked.repeat_job_ids))
        order by due.due_at, locked.id
    ) as allowed
), moved as (
    update ${row.table(schema)} as repeating
    set next_repeat_at = following.at, repeat_job_ids = coalesce(following.job_ids, repeating.repeat_job_ids)
    from (
        select moving.*, (select array[max(job_id)] from tick where tick.id = moving.id having count(*) > 0) as job_ids
        from (
            select id, next_repeat_at + (last_nth + 1::double precision) * interval_ms * interval '1 ms' as at from grid
            union all
            select id, to_timestamp(following_ms / 1000::double precision) from planned
        ) as moving
    ) as following
    where repeating.id = following.id
    returning repeating.id
), inserted as (
    insert into ${schema}.job
        (id, position, definition_id, num_attempts, priority, state, created_at, due_at, expires_at, payload)
    select
        tick.job_id, tick.job_id, definition.id, definition.num_attempts, definition.priority, 'ready',
        statement_timestamp(), tick.due_at, statement_timestamp() + definition.timeout_interval_ms * interval '1 ms', tick.payload
    from tick
    join ${schema}.job_definition as definition on definition.id = tick.definition_id
    returning id
)
select inserted.id, definition.name, definition.channel, locked.schedule_name
from moved
join locked on locked.id = moved.id
join ${schema}.job_definition as definition on definition.id = locked.definition_id
left join tick on tick.id = moved.id
left join inserted on inserted.id = tick.job_id
order by inserted.id`,
    )
}

const texts = { job_definition: textOf("job_definition"), schedule: textOf("schedule") }

/** Defers the jobs of ticks that have come. What is returned is empty if nothing was done. */
export async function repeatJobs({
    run,
    schema,
    source,
    ids,
    plans,
}: Query & { source: RepeatSource; ids: readonly number[]; plans: readonly CronPlan[] }): Promise<Repeat[]> {
    const ticks = plans.flatMap(({ id, dueMs }) => dueMs.map((ms) => ({ id, ms })))
    const rows = await run(texts[source](schema), [
        numberList(ids),
        numberList(plans.map((plan) => plan.id)),
        numberList(plans.map((plan) => plan.tickS)),
        numberList(plans.map((plan) => plan.followingMs)),
        jsonList(plans.map((plan) => plan.cron.expression)),
        jsonList(plans.map((plan) => plan.cron.timeZone)),
        numberList(ticks.map((tick) => tick.id)),
        numberList(ticks.map((tick) => tick.ms)),
    ])
    return rows.map(([jobID, jobName, channel, scheduleName]) => ({
        jobID: numberOrNull(jobID),
        jobName: jobName ?? "",
        channel: channel ?? "",
        scheduleName: scheduleName ?? null,
    }))
}
