import type { Cron } from "../cron/cron-rule.ts"
import type { OnMissed, OnOverlap } from "../cron/plan-ticks.ts"
import { numberOrNull } from "../db/cell.ts"
import { jobSequence, statementText } from "../db/identifier.ts"
import type { Query } from "./query.ts"

/** When a schedule falls due: every so many milliseconds, or by a cron expression. */
export type ScheduleRule = { intervalMs: number; cron: null } | { intervalMs: null; cron: Cron }

/** A schedule to write down. */
export interface NewSchedule {
    name: string
    definitionID: number
    payload: string
    rule: ScheduleRule
    /** The next tick of a cron expression, in milliseconds since 1970. */
    cronTickMs: number | null
    onMissed: OnMissed
    onOverlap: OnOverlap
}

/** A schedule as it is in the database. Instants are milliseconds since 1970. */
export interface ScheduleRow {
    name: string
    definition: string
    /** JSON text. */
    payload: string
    rule: ScheduleRule
    onMissed: OnMissed
    onOverlap: OnOverlap
    nextAtMs: number
    isPaused: boolean
    lastJobID: number | null
    createdAtMs: number
    updatedAtMs: number
    /** The database's clock when it was read. */
    nowMs: number
}

/** As texts under names of their own, since the caller's client may make of types what it likes. */
const COLUMNS = /* sql */ `schedule.name as name, definition.name as definition, schedule.payload::text as payload,
    schedule.repeat_interval_ms::text as interval_ms, schedule.repeat_cron as cron,
    schedule.repeat_time_zone as time_zone, schedule.on_missed as on_missed, schedule.on_overlap as on_overlap,
    (date_part('epoch', schedule.next_repeat_at) * 1000::double precision)::text as next_at_ms,
    case when schedule.paused_at is null then 'f' else 't' end as is_paused,
    (select max(job_id) from pg_catalog.unnest(schedule.repeat_job_ids) as job_id)::text as last_job_id,
    (date_part('epoch', schedule.created_at) * 1000::double precision)::text as created_at_ms,
    (date_part('epoch', schedule.updated_at) * 1000::double precision)::text as updated_at_ms,
    (date_part('epoch', clock_timestamp()) * 1000::double precision)::text as now_ms`

type Cells = readonly (string | null)[]

function toScheduleRow(cells: Cells): ScheduleRow {
    const [name, definition, payload, intervalMs, expression, timeZone, onMissed, onOverlap, ...rest] = cells
    const [nextAtMs, isPaused, lastJobID, createdAtMs, updatedAtMs, nowMs] = rest
    return {
        name: String(name),
        definition: String(definition),
        payload: String(payload),
        rule:
            typeof intervalMs === "string"
                ? { intervalMs: Number(intervalMs), cron: null }
                : { intervalMs: null, cron: { expression: String(expression), timeZone: String(timeZone) } },
        onMissed: onMissed as OnMissed,
        onOverlap: onOverlap as OnOverlap,
        nextAtMs: Number(nextAtMs),
        isPaused: isPaused === "t",
        lastJobID: numberOrNull(lastJobID),
        createdAtMs: Number(createdAtMs),
        updatedAtMs: Number(updatedAtMs),
        nowMs: Number(nowMs),
    }
}

/**
 * Writes a schedule down, or brings it up to date. As long as its rule stays, its next tick does, so nothing is lost nor
 * moved when all processes write all their schedules down again. One with an interval is due at once; a changed interval
 * counts from now. Nothing is done where the definition is gone or retired. One that is retired at the same time is
 * brought back, since it is not deleted before all who saw it unretired are done.
 */
const upsertText = statementText(
    (schema) => /* sql */ `-- cuckmq: upsert-schedule
with written as (
    insert into ${schema}.schedule
        (name, definition_id, payload, repeat_interval_ms, repeat_cron, repeat_time_zone, on_missed, on_overlap,
        next_repeat_at)
    select
        $1::text, definition.id, $3::json, $4::double precision, $5::text, $6::text, $7::text, $8::text,
        case
            when $5::text is null then statement_timestamp()
            else to_timestamp($9::double precision / 1000::double precision)
        end
    from ${schema}.job_definition as definition
    where definition.id = $2::bigint and definition.retired_by is null
    on conflict (name) do update
    set definition_id = excluded.definition_id, payload = excluded.payload,
        repeat_interval_ms = excluded.repeat_interval_ms, repeat_cron = excluded.repeat_cron,
        repeat_time_zone = excluded.repeat_time_zone, on_missed = excluded.on_missed,
        on_overlap = excluded.on_overlap, updated_at = statement_timestamp(),
        next_repeat_at = case
            when schedule.repeat_interval_ms = excluded.repeat_interval_ms
                or schedule.repeat_cron = excluded.repeat_cron and schedule.repeat_time_zone = excluded.repeat_time_zone
            then schedule.next_repeat_at
            when excluded.repeat_interval_ms is null then excluded.next_repeat_at
            else least(
                schedule.next_repeat_at, statement_timestamp() + excluded.repeat_interval_ms * interval '1 ms'
            )
        end
    returning *
)
select ${COLUMNS}
from written as schedule
join ${schema}.job_definition as definition on definition.id = schedule.definition_id`,
)

/** Returns the schedule as it is now; undefined when its definition is not there any more. */
export async function upsertSchedule({
    run,
    schema,
    schedule,
}: Query & { schedule: NewSchedule }): Promise<ScheduleRow | undefined> {
    const { intervalMs, cron } = schedule.rule
    const rows = await run(upsertText(schema), [
        schedule.name,
        schedule.definitionID,
        schedule.payload,
        intervalMs,
        cron?.expression ?? null,
        cron?.timeZone ?? null,
        schedule.onMissed,
        schedule.onOverlap,
        schedule.cronTickMs,
    ])
    return rows.map(toScheduleRow)[0]
}

const findText = statementText(
    (schema) => /* sql */ `-- cuckmq: find-schedules
select ${COLUMNS}
from ${schema}.schedule
join ${schema}.job_definition as definition on definition.id = schedule.definition_id
where $1::text is null or schedule.name = $1::text
order by schedule.name`,
)

/** The schedule of a name, or all of them by name. */
export async function findSchedules({
    run,
    schema,
    name,
}: Query & { name: string | null }): Promise<ScheduleRow[]> {
    return (await run(findText(schema), [name])).map(toScheduleRow)
}

const removeText = statementText(
    (schema) => /* sql */ `-- cuckmq: remove-schedule
delete from ${schema}.schedule where name = $1 returning id::text`,
)

/** Returns whether there was one. */
export async function removeSchedule({ run, schema, name }: Query & { name: string }): Promise<boolean> {
    return (await run(removeText(schema), [name])).length > 0
}

const pauseText = statementText(
    (schema) => /* sql */ `-- cuckmq: pause-schedule
update ${schema}.schedule
set paused_at = coalesce(paused_at, statement_timestamp())
where name = $1
returning id::text`,
)

/** Returns whether there is one. */
export async function pauseSchedule({ run, schema, name }: Query & { name: string }): Promise<boolean> {
    return (await run(pauseText(schema), [name])).length > 0
}

/**
 * Ticks that passed while a schedule was paused are not missed: the next one is the first after now, on the same grid.
 * That of a cron expression was reckoned before, and counts only while the expression is the same.
 */
const resumeText = statementText(
    (schema) => /* sql */ `-- cuckmq: resume-schedule
update ${schema}.schedule
set paused_at = null,
    next_repeat_at = case
        when paused_at is null or next_repeat_at > statement_timestamp() then next_repeat_at
        when repeat_cron is not null then to_timestamp($4::double precision / 1000::double precision)
        else next_repeat_at + interval '1 ms' * greatest(repeat_interval_ms, 0.001::double precision) * (
            1::double precision + floor(
                date_part('epoch', statement_timestamp() - next_repeat_at) * 1000::double precision
                    / greatest(repeat_interval_ms, 0.001::double precision)
            )
        )
    end
where name = $1 and repeat_cron is not distinct from $2::text and repeat_time_zone is not distinct from $3::text
returning id::text`,
)

/** Returns whether it was done; it is not if the schedule is gone or has another rule by now. */
export async function resumeSchedule({
    run,
    schema,
    name,
    cron,
    cronTickMs,
}: Query & { name: string; cron: Cron | null; cronTickMs: number | null }): Promise<boolean> {
    const values = [name, cron?.expression ?? null, cron?.timeZone ?? null, cronTickMs]
    return (await run(resumeText(schema), values)).length > 0
}

/** A job of a schedule now, whatever its ticks. It is one of the schedule's jobs for those that must not overlap. */
const runText = statementText(
    (schema) => /* sql */ `-- cuckmq: run-schedule
with found as materialized (
    select id, definition_id, payload, nextval(${jobSequence(schema)}) as job_id
    from ${schema}.schedule
    where name = $1
    for update
), kept as (
    update ${schema}.schedule
    set repeat_job_ids = array(
        select job.id from ${schema}.job where job.id = any(schedule.repeat_job_ids) union all select found.job_id
    )
    from found
    where schedule.id = found.id
), inserted as (
    insert into ${schema}.job
        (id, position, definition_id, num_attempts, priority, state, created_at, due_at, expires_at, payload)
    select
        found.job_id, found.job_id, definition.id, definition.num_attempts, definition.priority, 'ready',
        statement_timestamp(), statement_timestamp(),
        statement_timestamp() + definition.timeout_interval_ms * interval '1 ms', found.payload
    from found
    join ${schema}.job_definition as definition on definition.id = found.definition_id
    returning id, definition_id
)
select inserted.id::text as job_id, definition.channel as channel
from inserted
join ${schema}.job_definition as definition on definition.id = inserted.definition_id`,
)

/** Returns the job and the channel of its workers; undefined when there is no such schedule. */
export async function runSchedule({
    run,
    schema,
    name,
}: Query & { name: string }): Promise<{ jobID: number; channel: string } | undefined> {
    const [row] = await run(runText(schema), [name])
    return row === undefined ? undefined : { jobID: Number(row[0]), channel: row[1] ?? "" }
}
