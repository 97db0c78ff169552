import { numberList } from "../db/encode.ts"
import { jobSequence, statementText } from "../db/identifier.ts"
import type { Query } from "./query.ts"

/**
 * Makes live jobs of dead letters again. The letter is deleted and the job inserted by one statement, so of two that
 * replay the same one, the later waits, and then finds nothing. The job has its old id, which its effects outside may be
 * known by, and a token above the one that it failed under: whoever still repeats how it ended finds nothing either.
 *
 * The definitions are locked first. So none is retired or deleted meanwhile, one that is retired comes back, and of two
 * replays with a rate the later begins where the earlier ends.
 */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: replay-jobs
with letter as materialized (
    select asked.turn, letter.id, letter.slot, letter.definition_id
    from pg_catalog.unnest($1::bigint[]) with ordinality as asked(id, turn)
    join ${schema}.job_history as letter on letter.id = asked.id and letter.outcome = 'failed'
), definition as materialized (
    select id, channel, num_attempts, timeout_interval_ms, retired_by,
        greatest(next_replay_at, clock_timestamp()) as begins_at
    from ${schema}.job_definition
    where id in (select definition_id from letter)
    order by id
    for update
), replayed as (
    delete from ${schema}.job_history
    using letter
    join definition on definition.id = letter.definition_id
    where job_history.id = letter.id and job_history.slot = letter.slot and job_history.outcome = 'failed'
    returning job_history.*, letter.turn
), planned as materialized (
    select replayed.*, definition.channel, definition.num_attempts, definition.timeout_interval_ms,
        case
            when $2::double precision is null then clock_timestamp()
            else definition.begins_at + $2 * interval '1 ms'
                * (row_number() over (partition by definition.id order by replayed.turn) - 1)::double precision
        end as next_due_at
    from replayed
    join definition on definition.id = replayed.definition_id
), paced as (
    update ${schema}.job_definition
    set retired_at = null, retired_by = null, next_replay_at = coalesce(pace.next_at, job_definition.next_replay_at)
    from (
        select definition_id, max(next_due_at) + $2::double precision * interval '1 ms' as next_at
        from planned
        group by definition_id
    ) as pace
    where job_definition.id = pace.definition_id
        and (pace.next_at is not null or job_definition.retired_by is not null)
), inserted as (
    insert into ${schema}.job
        (id, position, definition_id, num_attempts, state, created_at, first_due_at, due_at, expires_at, token,
        priority, payload, errors)
    select
        id, nextval(${jobSequence(schema)}), definition_id, num_attempts,
        case when next_due_at > clock_timestamp() then 'delayed' else 'ready' end::${schema}.job_state,
        created_at, due_at, next_due_at, next_due_at + timeout_interval_ms * interval '1 ms', token + 1, priority, payload, errors
    from planned
    order by turn
    returning id, state
)
select inserted.id, inserted.state, planned.channel
from inserted
join planned on planned.id = inserted.id`,
)

/** A job that lives again. */
export interface ReplayedJob {
    id: number
    channel: string
    /** Or it is due later. */
    isReady: boolean
}

/**
 * Replays dead letters in the order given; those that are there no more are passed over. `intervalMs` is how far apart
 * the jobs of a definition are due; null when all are due at once.
 */
export async function replayJobs({
    run,
    schema,
    ids,
    intervalMs,
}: Query & { ids: readonly number[]; intervalMs: number | null }): Promise<ReplayedJob[]> {
    const rows = await run(text(schema), [numberList(ids), intervalMs])
    return rows.map((row) => ({ id: Number(row[0]), isReady: row[1] === "ready", channel: row[2] ?? "" }))
}
