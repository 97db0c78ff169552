import { jobSequence, type QuotedSchema, statementText } from "../db/identifier.ts"
import { insertText, insertValues, requiredText, type TimedJob } from "./insert-jobs.ts"
import { hasID, IMPATIENT, PREPARED_WHILE_QUICK, type Query } from "./query.ts"

/** What a job is to find when another has its key. */
export type OnConflict = "keep" | "replace" | "postpone"

/** A key that a job is to have, and what it means to have it. */
export interface KeyRule {
    key: string
    /** Until a worker takes the job for the first time, until it is finalized, or for a time. */
    heldWhile: "queued" | "unfinalized" | "time"
    /** Milliseconds from now, by the database's clock, when it is for a time. */
    forMs: number | null
    onConflict: OnConflict
    /** The most milliseconds from its first deferral that the job may be postponed. */
    maxWaitMs: number | null
}

/** A job to insert that may have a key. */
export interface UniqueJob extends TimedJob {
    unique: KeyRule | null
}

/**
 * What became of a job: it was inserted; one that stands has its key, and was changed or was not; or its key was taken
 * by a statement that this one cannot see the end of, and it is to be tried again.
 */
export type Standing = { id: number; fate: "inserted" | "changed" | "kept" } | "contested"

/**
 * Says of a key's row whether the job that it names has the key, by what the statement sees. One that will never run is as
 * good as gone: nothing leads from those states but to history.
 */
export const IS_HELD = /* sql */ `case held.held_while
        when 'queued' then coalesce(job.state not in ('unmet', 'exhausted') and job.claimed_at is null, false)
        when 'unfinalized' then coalesce(job.state not in ('unmet', 'exhausted'), false)
        else held.held_until > statement_timestamp()
    end`

/** `seen` is what stands in the way when the statement begins. What is only to be kept is not locked. */
const firstText = (schema: QuotedSchema) => /* sql */ `asked as materialized (
    select asked.*
    from json_to_recordset($14::json) as asked(
        turn bigint, definition_id bigint, key text, held_while text, for_ms double precision,
        on_conflict text, max_wait_ms double precision
    ), (select coalesce(case when $15::boolean then ${IMPATIENT} end, '') as is_set) as impatience
    where impatience.is_set is not null
), held as materialized (
    select asked.turn, asked.on_conflict, asked.max_wait_ms, known.*
    from asked
    cross join lateral (
        select job_id, held_while, held_until from ${schema}.unique_key
        where unique_key.definition_id = asked.definition_id and unique_key.key = asked.key
        limit 1
    ) as known
), seen as materialized (
    select held.*, ${IS_HELD} as is_held, job.id is not null and job.claimed_at is null as is_waiting
    from held
    left join ${schema}.job on ${hasID("held.job_id")}
), `

/** What a job that is not inserted depends on does not matter. */
const EDGE_CONDITION = /* sql */ `where item.turn not in (select turn from seen where is_held)`

/**
 * Jobs to depend on and jobs to change, in one order. No statement changes a row twice, so one that is both is flagged
 * by its change.
 */
const lockedText = (schema: QuotedSchema) => /* sql */ `wanted as materialized (
    select required_id as id, false as is_to_change from edge
    union all
    select job_id, true from seen where is_held and is_waiting and on_conflict <> 'keep'
), locked as materialized (
    select
        job.id, job.state, job.has_dependents, job.claimed_at, job.created_at,
        wanted.is_to_change and job.claimed_at is null and job.state in ('ready', 'delayed', 'blocked') as is_changing
    from (select id, bool_or(is_to_change) as is_to_change from wanted group by id) as wanted
    join ${schema}.job on ${hasID("wanted.id")}
    order by wanted.id
    for update of job
), required as materialized (
    select id, state, has_dependents or is_changing as has_dependents
    from locked
    where id in (select required_id from edge)
)`

/**
 * A key is taken by inserting its row, or by changing the one that names a job which no longer has it. Whoever came
 * first with either, we wait for; then the row names another job than the one that we saw, and we leave it alone.
 */
const takingText = (schema: QuotedSchema) => /* sql */ `, taken as (
    insert into ${schema}.unique_key as held (definition_id, key, job_id, taken_from, held_while, held_until)
    select
        asked.definition_id, asked.key, item.id, seen.job_id, asked.held_while,
        statement_timestamp() + asked.for_ms * interval '1 ms'
    from asked
    join item on item.turn = asked.turn
    left join seen on seen.turn = asked.turn
    where seen.is_held is not true
    order by asked.definition_id, asked.key
    on conflict (definition_id, key) do update
    set job_id = excluded.job_id, taken_from = excluded.taken_from,
        held_while = excluded.held_while, held_until = excluded.held_until
    where held.job_id = excluded.taken_from
    returning held.job_id
), input as materialized (
    select item.*
    from item
    where item.turn not in (select turn from asked) or item.id in (select job_id from taken)
)`

/**
 * A job that stands is changed if no worker has taken it yet. One that is postponed gets another token: whoever found
 * that its time is over, and means to end it, finds it no more.
 */
const changingText = (schema: QuotedSchema) => /* sql */ `, changing as materialized (
    select
        item.turn, locked.id, item.payload, item.lane, item.weight, item.timeout_interval_ms, item.attempt_timeout_ms,
        coalesce(item.num_attempts, definition.num_attempts) as num_attempts,
        coalesce(item.timeout_interval_ms, definition.timeout_interval_ms) as time_ms, seen.on_conflict, coalesce(item.priority, definition.priority) as priority,
        least(
            coalesce(
                to_timestamp(item.run_at_ms / 1000::double precision),
                statement_timestamp() + coalesce(item.delay_ms, 0) * interval '1 ms'
            ),
            locked.created_at + seen.max_wait_ms * interval '1 ms'
        ) as due_at
    from seen
    join locked on locked.id = seen.job_id
    join item on item.turn = seen.turn
    join ${schema}.job_definition as definition on definition.id = item.definition_id
    where seen.is_held and seen.on_conflict <> 'keep' and locked.is_changing
), replaced as (
    update ${schema}.job
    set payload = changing.payload::json, lane = changing.lane, weight = changing.weight, num_attempts = changing.num_attempts,
        timeout_interval_ms = changing.timeout_interval_ms, attempt_timeout_ms = changing.attempt_timeout_ms,
        has_dependents = job.has_dependents or job.id in (select required_id from edge)
    from changing
    where ${hasID("changing.id")} and changing.on_conflict = 'replace'
), postponed as (
    update ${schema}.job
    set payload = changing.payload::json, lane = changing.lane, weight = changing.weight, num_attempts = changing.num_attempts,
        timeout_interval_ms = changing.timeout_interval_ms, attempt_timeout_ms = changing.attempt_timeout_ms,
        has_dependents = job.has_dependents or job.id in (select required_id from edge),
        due_at = changing.due_at,
        expires_at = greatest(changing.due_at, statement_timestamp())
            + changing.time_ms * interval '1 ms',
        state = case
            when job.state = 'blocked' then 'blocked'
            when changing.due_at > statement_timestamp() then 'delayed'
            else 'ready'
        end::${schema}.job_state,
        priority = changing.priority, position = nextval(${jobSequence(schema)}),
        token = job.token + 1
    from changing
    where ${hasID("changing.id")} and changing.on_conflict = 'postpone'
)`

const MISSING = /* sql */ `
union all
select null, required_id::text, 'missing' from missing`

const keepText = statementText((schema) =>
    insertText(schema, {
        name: "insert-unique-jobs",
        first: firstText(schema),
        edgeCondition: EDGE_CONDITION,
        required: requiredText(schema),
        items: "item",
        taking: takingText(schema),
        results: /* sql */ `select
    item.turn, coalesce(planned.id, seen.job_id)::text,
    case
        when planned.id is not null then 'inserted'
        when seen.turn is not null then 'kept'
        else 'contested'
    end
from item
left join planned on planned.turn = item.turn
left join seen on seen.turn = item.turn and seen.is_held${MISSING}`,
    }),
)

/** A job that we saw waiting may have been taken or finalized before we had it locked. Then its key may be free. */
const changeText = statementText((schema) =>
    insertText(schema, {
        name: "change-unique-jobs",
        first: firstText(schema),
        edgeCondition: EDGE_CONDITION,
        required: lockedText(schema),
        items: "item",
        taking: takingText(schema) + changingText(schema),
        results: /* sql */ `select
    item.turn, coalesce(planned.id, seen.job_id)::text,
    case
        when planned.id is not null then 'inserted'
        when changing.id is not null then 'changed'
        when seen.turn is null then 'contested'
        when seen.on_conflict = 'keep' or not seen.is_waiting or seen.held_while = 'time' then 'kept'
        when locked.id is null or locked.state in ('unmet', 'exhausted') then 'contested'
        when seen.held_while = 'queued' and locked.claimed_at is not null then 'contested'
        else 'kept'
    end
from item
left join planned on planned.turn = item.turn
left join seen on seen.turn = item.turn and seen.is_held
left join locked on locked.id = seen.job_id
left join changing on changing.turn = item.turn${MISSING}`,
    }),
)

/**
 * Inserts jobs, no two of one key, unless their keys are held. Returns what became of each, in the order of `jobs`;
 * nothing was done and nothing is returned when a job to depend on, or a definition, was not found. An impatient
 * statement gives up soon when someone else has a key or a job locked.
 */
export async function insertUniqueJobs({
    run,
    schema,
    jobs,
    isImpatient,
}: Query & { jobs: readonly UniqueJob[]; isImpatient: boolean }): Promise<{
    results: Standing[]
    missingIDs: number[]
}> {
    const asked = jobs.flatMap(({ unique, definitionID }, index) =>
        unique === null
            ? []
            : {
                  turn: index + 1,
                  definition_id: definitionID,
                  key: unique.key,
                  held_while: unique.heldWhile,
                  for_ms: unique.forMs,
                  on_conflict: unique.onConflict,
                  max_wait_ms: unique.maxWaitMs,
              },
    )
    const text = asked.some((key) => key.on_conflict !== "keep") ? changeText : keepText
    const values = [...insertValues(jobs), JSON.stringify(asked), isImpatient]
    // As for other jobs with dependencies, a plan for each: it depends on how much is live, and how much is history.
    const hasEdges = jobs.some((job) => job.dependencies.length > 0)
    const rows = await run(text(schema), values, hasEdges ? {} : PREPARED_WHILE_QUICK)
    const results: Standing[] = []
    for (const [turn, id, fate] of rows) {
        if (turn !== null) results[Number(turn) - 1] = toStanding(Number(id), fate)
    }
    const missingIDs = rows.filter(([turn]) => turn === null).map(([, id]) => Number(id))
    return { results, missingIDs }
}

function toStanding(id: number, fate: string | null | undefined): Standing {
    return fate === "inserted" || fate === "changed" || fate === "kept" ? { id, fate } : "contested"
}
