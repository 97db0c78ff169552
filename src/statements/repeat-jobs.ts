import { numberList } from "../db/encode.ts"
import { jobSequence, statementText } from "../db/identifier.ts"
import type { Query } from "./query.ts"

/**
 * One job for each repeating definition whose tick has come, and the next tick: on the grid, so nothing drifts, and
 * after now, so ticks that were missed become one. The definition's row is locked before it is read, so however
 * many orchestrators ask, a tick yields one job. No grid is finer than the clock, which counts in microseconds.
 */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: repeat-jobs
with due as materialized (
    select
        id, name, num_attempts, priority, timeout_interval_ms, next_repeat_at,
        greatest(repeat_interval_ms, 0.001::double precision) as interval_ms,
        floor(
            date_part('epoch', statement_timestamp() - next_repeat_at) * 1000::double precision
                / greatest(repeat_interval_ms, 0.001::double precision)
        ) as num_missed
    from ${schema}.job_definition
    where id = any($1::bigint[]) and repeat_interval_ms is not null and next_repeat_at <= statement_timestamp()
    order by id
    for update skip locked
), tick as materialized (
    select
        nextval(${jobSequence(schema)}) as job_id, due.*,
        next_repeat_at + num_missed * interval_ms * interval '1 ms' as due_at,
        next_repeat_at + (num_missed + 1::double precision) * interval_ms * interval '1 ms' as following_at
    from due
), moved as (
    update ${schema}.job_definition as definition
    set next_repeat_at = tick.following_at
    from tick
    where definition.id = tick.id
)
insert into ${schema}.job
    (id, position, definition_id, num_attempts, priority, state, created_at, due_at, expires_at, payload)
select
    job_id, job_id, id, num_attempts, priority, 'ready', statement_timestamp(), due_at,
    statement_timestamp() + timeout_interval_ms * interval '1 ms', '{}'
from tick
returning id, definition_id`,
)

/** Defers the jobs of ticks that have come. */
export async function repeatJobs({
    run,
    schema,
    definitionIDs,
}: Query & { definitionIDs: readonly number[] }): Promise<{ jobID: number; definitionID: number }[]> {
    const rows = await run(text(schema), [numberList(definitionIDs)])
    return rows.map((row) => ({ jobID: Number(row[0]), definitionID: Number(row[1]) }))
}

const nextText = statementText(
    (schema) => /* sql */ `-- cuckmq: next-repeat
select date_part('epoch', min(next_repeat_at) - clock_timestamp()) * 1000::double precision
from ${schema}.job_definition
where id = any($1::bigint[])`,
)

/** Milliseconds until the next tick; null when nothing repeats. */
export async function nextRepeatMs({
    run,
    schema,
    definitionIDs,
}: Query & { definitionIDs: readonly number[] }): Promise<number | null> {
    const [row] = await run(nextText(schema), [numberList(definitionIDs)])
    return typeof row?.[0] === "string" ? Number(row[0]) : null
}
