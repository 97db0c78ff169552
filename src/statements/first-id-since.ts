import { numberOrNull } from "../db/cell.ts"
import { statementText } from "../db/identifier.ts"
import type { Query } from "./query.ts"

/**
 * Finds by bisection, since ids ascend with the instants at which jobs are deferred, and no index has those. Each step
 * looks up the first job at or after the middle of the ids that are left: before `low` all are older, from `high` on none
 * is. Thirty steps or so, whatever there is.
 */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: first-id-since
with recursive step as (
    select least(live.first_id, past.first_id) as low, greatest(live.last_id, past.last_id) + 1 as high
    from (select min(id) as first_id, max(id) as last_id from ${schema}.job) as live
    cross join (select min(id) as first_id, max(id) as last_id from ${schema}.job_history) as past
    union all
    select
        case when probe.is_older then probe.id + 1 else step.low end,
        case when probe.is_older then step.high else step.low + (step.high - step.low) / 2 end
    from step
    left join lateral (
        select id, created_at < to_timestamp($1::double precision / 1000::double precision) as is_older
        from (
            select * from (
                select id, created_at from ${schema}.job
                where job.id >= step.low + (step.high - step.low) / 2 and job.id < step.high
                order by job.id
                limit 1
            ) as live
            union all
            select * from (
                select id, created_at from ${schema}.job_history
                where job_history.id >= step.low + (step.high - step.low) / 2 and job_history.id < step.high
                order by job_history.id
                limit 1
            ) as past
        ) as either
        order by id
        limit 1
    ) as probe on true
    where step.low < step.high
)
select low from step where low >= high limit 1`,
)

/** The id that jobs begin at which were deferred at an instant or later, by when most of their statements ended. */
export async function firstIDSince({ run, schema, sinceMs }: Query & { sinceMs: number }): Promise<number> {
    const [row] = await run(text(schema), [sinceMs])
    return numberOrNull(row?.[0]) ?? 1
}
