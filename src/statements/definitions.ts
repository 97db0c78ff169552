import type { Cron } from "../cron/cron-rule.ts"
import type { OnMissed, OnOverlap } from "../cron/plan-ticks.ts"
import { numberList } from "../db/encode.ts"
import { statementText } from "../db/identifier.ts"
import { type Gate, limitsText } from "../gate.ts"
import { FIRST_RETENTION_SLOT } from "./history-rings.ts"
import type { Query } from "./query.ts"

/** What the database keeps of a definition. */
export interface DefinitionRow {
    name: string
    channel: string
    numAttempts: number
    timeoutIntervalMs: number
    lockIntervalMs: number
    releaseIntervalMs: number
    repeatIntervalMs: number | null
    priority: number
    repeatCron: Cron | null
    onMissed: OnMissed
    onOverlap: OnOverlap
    /** How long jobs that succeeded are kept: 0 for not at all, null for as long as the orchestrator says. */
    keepSucceededMs: number | null
    /** The same for jobs that failed. */
    keepFailedMs: number | null
    /** What holds its jobs back besides the slots of workers; null where nothing does. */
    gate: Gate | null
    /** Whether its jobs get unique keys, of whatever kind. */
    unique: object | null
}

/** What a job needs, besides its keys, that only the code of its definition can say. */
export interface DeferralNeeds {
    /** Whether it has a unique key. */
    isUnique: boolean
    /** What it counts for in a rate; null where its payload says. */
    weight: number | null
}

function needsText({ gate, unique }: DefinitionRow): string {
    const weight = gate?.rate?.weight ?? 1
    const needs: DeferralNeeds = {
        isUnique: unique !== null,
        weight: typeof weight === "number" ? weight : null,
    }
    return JSON.stringify(needs)
}

/**
 * Writes a definition down, or brings it up to date. It updates first, so that a known name costs no number of the
 * identity. A definition with an interval is due at once, and a changed interval counts from now. One with a cron
 * expression is due at its next tick, which is kept as long as the expression and its zone stay. Its priority is written
 * down together with the lane that claims must know of.
 */
const ensureText = statementText(
    (schema) => /* sql */ `-- cuckmq: ensure-definition
with item as (
    select
        $1::text as name, $2::text as channel, $3::integer as num_attempts,
        $4::double precision as timeout_interval_ms, $5::double precision as lock_interval_ms,
        $6::double precision as release_interval_ms, $7::double precision as repeat_interval_ms,
        $8::integer as priority,
        $9::text as repeat_cron, $10::text as repeat_time_zone, $11::text as on_missed, $12::text as on_overlap,
        to_timestamp($13::double precision / 1000::double precision) as cron_tick_at,
        $14::double precision as keep_succeeded_ms, $15::double precision as keep_failed_ms, $16::jsonb as limits,
        $17::jsonb as deferral
), updated as (
    update ${schema}.job_definition as definition
    set channel = item.channel, num_attempts = item.num_attempts,
        timeout_interval_ms = item.timeout_interval_ms, lock_interval_ms = item.lock_interval_ms,
        release_interval_ms = item.release_interval_ms, repeat_interval_ms = item.repeat_interval_ms,
        priority = item.priority,
        repeat_cron = item.repeat_cron, repeat_time_zone = item.repeat_time_zone,
        on_missed = item.on_missed, on_overlap = item.on_overlap,
        next_repeat_at = case
            when item.repeat_cron = definition.repeat_cron and item.repeat_time_zone = definition.repeat_time_zone
                and definition.next_repeat_at is not null
            then definition.next_repeat_at
            when item.repeat_cron is not null then item.cron_tick_at
            when item.repeat_interval_ms is null then null
            when definition.repeat_interval_ms is null then statement_timestamp()
            when definition.repeat_interval_ms = item.repeat_interval_ms then definition.next_repeat_at
            else least(definition.next_repeat_at, statement_timestamp() + item.repeat_interval_ms * interval '1 ms')
        end,
        keep_succeeded_ms = item.keep_succeeded_ms, keep_failed_ms = item.keep_failed_ms, limits = item.limits,
        deferral = item.deferral,
        heartbeat_at = statement_timestamp(), retired_at = null, retired_by = null
    from item
    where definition.name = item.name
    returning definition.id
), inserted as (
    insert into ${schema}.job_definition as definition
        (name, channel, num_attempts, timeout_interval_ms, lock_interval_ms, release_interval_ms,
        repeat_interval_ms, priority, repeat_cron, repeat_time_zone, on_missed, on_overlap,
        keep_succeeded_ms, keep_failed_ms, limits, deferral, next_repeat_at)
    select
        name, channel, num_attempts, timeout_interval_ms, lock_interval_ms, release_interval_ms,
        repeat_interval_ms, priority, repeat_cron, repeat_time_zone, on_missed, on_overlap,
        keep_succeeded_ms, keep_failed_ms, limits, deferral,
        case when repeat_interval_ms is not null then statement_timestamp() else cron_tick_at end
    from item
    where not exists (select from ${schema}.job_definition where job_definition.name = item.name)
    on conflict (name) do update set heartbeat_at = statement_timestamp(), retired_at = null, retired_by = null
    returning definition.id
), written as (
    select id from updated union all select id from inserted
), registered as (
    insert into ${schema}.job_priority (definition_id, priority)
    select written.id, item.priority from written, item where item.priority <> 0
    on conflict do nothing
)
select id::text from written`,
)

/** Makes sure that a definition is in the database, with `cronTickMs` as its tick if it needs one. Returns its id. */
export async function ensureDefinition({
    run,
    schema,
    definition,
    cronTickMs,
}: Query & { definition: DefinitionRow; cronTickMs: number | null }): Promise<number> {
    const values = [
        definition.name,
        definition.channel,
        definition.numAttempts,
        definition.timeoutIntervalMs,
        definition.lockIntervalMs,
        definition.releaseIntervalMs,
        definition.repeatIntervalMs,
        definition.priority,
        definition.repeatCron?.expression ?? null,
        definition.repeatCron?.timeZone ?? null,
        definition.onMissed,
        definition.onOverlap,
        cronTickMs,
        definition.keepSucceededMs,
        definition.keepFailedMs,
        limitsText(definition.gate),
        needsText(definition),
    ]
    const [row] = await run(ensureText(schema), values)
    // Another session deleted the row between our look and our write: by now it is gone, and we insert.
    return row === undefined ? ensureDefinition({ run, schema, definition, cronTickMs }) : Number(row[0])
}

const findText = statementText(
    (schema) => /* sql */ `-- cuckmq: find-definition
select id::text from ${schema}.job_definition where name = $1 and retired_by is null`,
)

/** The id of a definition that is in the database and not retired. */
export async function findDefinition({
    run,
    schema,
    name,
}: Query & { name: string }): Promise<number | undefined> {
    const [row] = await run(findText(schema), [name])
    return row === undefined ? undefined : Number(row[0])
}

const heartbeatText = statementText(
    (schema) => /* sql */ `-- cuckmq: heartbeat-definitions
with mine as materialized (
    select id from ${schema}.job_definition where id = any($1::bigint[]) order by id for update
)
update ${schema}.job_definition as definition
set heartbeat_at = clock_timestamp(), retired_at = null, retired_by = null
from mine
where definition.id = mine.id
returning definition.id`,
)

/** Vouches for definitions. One that is not among the ids returned was deleted. */
export async function heartbeatDefinitions({
    run,
    schema,
    ids,
}: Query & { ids: readonly number[] }): Promise<number[]> {
    return (await run(heartbeatText(schema), [numberList(ids)])).map(([id]) => Number(id))
}

const retireText = statementText(
    (schema) => /* sql */ `-- cuckmq: retire-definitions
with stale as materialized (
    select id from ${schema}.job_definition as definition
    where retired_by is null and heartbeat_at < clock_timestamp() - $1::double precision * interval '1 ms'
        and not exists (select from ${schema}.job where job.definition_id = definition.id)
        and not exists (select from ${schema}.schedule where schedule.definition_id = definition.id)
    order by id
    for update skip locked
)
update ${schema}.job_definition as definition
set retired_at = clock_timestamp(), retired_by = pg_current_xact_id()
from stale
where definition.id = stale.id
returning definition.name`,
)

/** Retires definitions that nobody vouches for and that have no live jobs and no schedules. Returns their names. */
export async function retireDefinitions({
    run,
    schema,
    thresholdMs,
}: Query & { thresholdMs: number }): Promise<string[]> {
    return (await run(retireText(schema), [thresholdMs])).map(([name]) => name ?? "")
}

/** A job or a schedule that was committed while its definition was being retired brings the definition back. */
const reviveText = statementText(
    (schema) => /* sql */ `-- cuckmq: revive-definitions
update ${schema}.job_definition as definition
set retired_at = null, retired_by = null
where retired_by is not null and (
    exists (select from ${schema}.job where job.definition_id = definition.id)
    or exists (select from ${schema}.schedule where schedule.definition_id = definition.id)
)`,
)

/** What is kept as a definition says is gone by then, counted from the end of its last job. */
const KEPT_FACTOR = "3::double precision"

const deleteText = statementText(
    (schema) => /* sql */ `-- cuckmq: delete-definitions
with deleted as (
    delete from ${schema}.job_definition as definition
    where retired_by < pg_snapshot_xmin(pg_current_snapshot())
        and retired_at < clock_timestamp()
            - greatest($1::double precision, ${KEPT_FACTOR} * keep_succeeded_ms) * interval '1 ms'
        and not exists (select from ${schema}.job where job.definition_id = definition.id)
        and not exists (select from ${schema}.unique_key where unique_key.definition_id = definition.id)
        and not exists (select from ${schema}.schedule where schedule.definition_id = definition.id)
        and not exists (
            select from ${schema}.job_history as letter
            where letter.definition_id = definition.id and letter.outcome = 'failed' and letter.slot >= ${FIRST_RETENTION_SLOT}
        )
    returning definition.id
)
delete from ${schema}.job_priority using deleted where definition_id = deleted.id`,
)

/** Identities are used once, so what is left of a definition that is gone is in nobody's way. */
const deleteGatesText = statementText(
    (schema) => /* sql */ `-- cuckmq: delete-gates
delete from ${schema}.gate
where not exists (select from ${schema}.job_definition as definition where definition.id = gate.definition_id)`,
)

/** One that no release is left in, and that is not held, says what none says as well. */
const deleteWindowsText = statementText(
    (schema) => /* sql */ `-- cuckmq: delete-rate-windows
delete from ${schema}.rate_window where idle_at < clock_timestamp()`,
)

/** Minutes and hours are swept by their age, whatever they count. */
const deleteTotalsText = statementText(
    (schema) => /* sql */ `-- cuckmq: delete-totals
delete from ${schema}.throughput as total
where span = 'total'
    and not exists (select from ${schema}.job_definition as definition where definition.id = total.definition_id)`,
)

/**
 * Deletes definitions retired longer ago than `keepMs` that have no dead letters, when no transaction is left that could
 * defer a job of them. Keys are the definition's, and may be had for a time after its last job.
 */
export async function deleteDefinitions({ run, schema, keepMs }: Query & { keepMs: number }): Promise<void> {
    await run(reviveText(schema), [])
    await run(deleteText(schema), [keepMs])
    await run(deleteGatesText(schema), [])
    await run(deleteTotalsText(schema), [])
    await run(deleteWindowsText(schema), [])
}
