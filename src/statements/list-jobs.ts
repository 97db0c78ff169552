import { numberOrNull } from "../db/cell.ts"
import type { Row } from "../db/driver.ts"
import { type QuotedSchema, statementText } from "../db/identifier.ts"
import { concurrencyKey, groupKey, rateKey } from "./gate-rules.ts"
import { FIRST_RETENTION_SLOT } from "./history-rings.ts"
import type { Query } from "./query.ts"

/** What a list is looked for in. A state that has an index is looked for there, whatever else there is. */
const SOURCES = {
    /** Live jobs, by id. */
    live: (schema: QuotedSchema) => /* sql */ `${schema}.job as job`,
    running: (schema: QuotedSchema) =>
        /* sql */ `(select * from ${schema}.job where job.state = 'running' offset 0) as job`,
    failing: (schema: QuotedSchema) =>
        /* sql */ `(select * from ${schema}.job where job.state in ('unmet', 'exhausted') offset 0) as job`,
    /** History, by id. */
    finalized: (schema: QuotedSchema) => /* sql */ `${schema}.job_history as job`,
    /** That part of history in which dead letters are, whatever else is there. */
    retained,
    /** The same, for what is replayed when nobody says which: see `REPLAYABLE_COLUMNS`. */
    replayable: retained,
    failed: (schema: QuotedSchema) =>
        /* sql */ `(select * from ${schema}.job_history where outcome = 'failed' and slot >= ${FIRST_RETENTION_SLOT}) as job`,
} as const

function retained(schema: QuotedSchema): string {
    return /* sql */ `(select * from ${schema}.job_history where slot >= ${FIRST_RETENTION_SLOT}) as job`
}

/** Where to look for jobs. */
export type ListSource = keyof typeof SOURCES

/** Those that are history. */
export const PAST_SOURCES: readonly ListSource[] = ["finalized", "retained", "replayable", "failed"]

/** Which jobs, as SQL looks through them; what is null does not matter. */
export interface JobFilter {
    definition: string | null
    channel: string | null
    /** A state of the database: of live jobs, or an outcome. */
    state: string | null
    key: string | null
    createdAfterMs: number | null
    createdBeforeMs: number | null
    errorText: string | null
    /** JSON text that payloads contain. */
    payload: string | null
    /** Why it failed; live jobs have none. */
    reason: string | null
    finalizedAfterMs: number | null
    finalizedBeforeMs: number | null
}

/** A job as a list has it. Instants are milliseconds since 1970. */
export interface ListedRow {
    id: number
    definition: string
    channel: string
    state: string
    priority: number
    attempt: number
    createdAtMs: number
    dueAtMs: number
    claimedAtMs: number | null
    finalizedAtMs: number | null
    worker: string | null
    reason: string | null
    errorMessage: string | null
    isCancelRequested: boolean
    lane: string | null
    /** The partition of history that it is in; null of live jobs. */
    slot: number | null
}

/** What was found, and where the look ended if there may be more. */
export interface ListedJobs {
    rows: ListedRow[]
    next: { id: number; createdAtMs: number } | null
}

const LIVE_COLUMNS = /* sql */ `id, definition_id, state::text as state, priority, attempt, created_at, due_at, claimed_at,
    null::timestamptz as finalized_at, lease_id, null::text as worker, null::text as reason,
    cancelled_at is not null as is_cancelled, lane, null::integer as slot, payload, errors`
const PAST_COLUMNS = /* sql */ `id, definition_id, outcome::text as state, priority, attempt, created_at, due_at, claimed_at,
    finalized_at, null::bigint as lease_id, worker, reason, false as is_cancelled, null::text as lane, slot, payload, errors`

/**
 * Which rows of `chunk` fit: `$2` to `$12` say. The definitions are looked up in a hash, and not joined (which `is true` keeps the
 * planner from), so that jobs stay in the order of their ids, and a list ends when it has enough.
 */
export const fits = (schema: QuotedSchema) => /* sql */ `(chunk.definition_id in (
            select definition.id from ${schema}.job_definition as definition
            where ($2::text is null or definition.name = $2) and ($3::text is null or definition.channel = $3)
        )) is true
        and ($4::text is null or chunk.state = any(string_to_array($4, ',')))
        and ($5::text is null or $5 in (${groupKey("chunk.lane")}, ${concurrencyKey("chunk.lane")}, ${rateKey("chunk.lane")}))
        and ($6::double precision is null or chunk.created_at >= to_timestamp($6 / 1000::double precision))
        and ($7::double precision is null or chunk.created_at < to_timestamp($7 / 1000::double precision))
        and ($8::text is null or strpos(chunk.errors -> -1 ->> 'message', $8) > 0)
        and ($9::text is null or chunk.payload::jsonb @> $9::jsonb)
        and ($10::text is null or chunk.reason = $10)
        and ($11::double precision is null or chunk.finalized_at >= to_timestamp($11 / 1000::double precision))
        and ($12::double precision is null or chunk.finalized_at < to_timestamp($12 / 1000::double precision))`

/** The values of these. */
export function filterValues(filter: JobFilter): unknown[] {
    return [
        filter.definition,
        filter.channel,
        filter.state,
        filter.key,
        filter.createdAfterMs,
        filter.createdBeforeMs,
        filter.errorText,
        filter.payload,
        filter.reason,
        filter.finalizedAfterMs,
        filter.finalizedBeforeMs,
    ]
}

/** Neither what depends on a job that failed, nor what nobody wants to run, has failed in a way to try again. */
const REPLAYABLE_COLUMNS = PAST_COLUMNS.replace(
    "outcome::text as state",
    /* sql */ `case when reason in ('unmet-dependencies', 'cancelled') then reason else outcome::text end as state`,
)

function columnsOf(source: ListSource): string {
    if (source === "replayable") return REPLAYABLE_COLUMNS
    return PAST_SOURCES.includes(source) ? PAST_COLUMNS : LIVE_COLUMNS
}

/** Payloads may be large, and are of use only where they are looked into. */
function withoutPayload(columns: string): string {
    return columns.replace("payload, errors", /* sql */ `null::json as payload, errors`)
}

/** Up to `$13` jobs of a source behind the id `$1`. */
function partText(params: {
    schema: QuotedSchema
    source: ListSource
    order: "asc" | "desc"
    hasPayloads: boolean
}): string {
    const { schema, source, order, hasPayloads } = params
    const from = SOURCES[source](schema)
    const isBehind = order === "asc" ? ">" : "<"
    const columns = hasPayloads ? columnsOf(source) : withoutPayload(columnsOf(source))
    return /* sql */ `select * from (
        select ${columns} from ${from} where job.id ${isBehind} $1::bigint order by job.id ${order} limit $13::integer
    ) as ${source}`
}

/** The jobs looked through, each with its place among them. */
function chunkText(params: {
    schema: QuotedSchema
    sources: readonly ListSource[]
    order: "asc" | "desc"
    hasPayloads: boolean
}): string {
    const { sources, order } = params
    const parts = sources.map((source) => partText({ ...params, source })).join("\n    union all\n    ")
    return /* sql */ `select *, row_number() over (order by id ${order}) as place from (
        select * from (
    ${parts}
        ) as part
        order by id ${order}
        limit $13::integer
    ) as part`
}

/**
 * Goes through jobs by their ids, which ascend as jobs are created, and no further than `$13` of them, or than to the last
 * one that is wanted. What fits is among those; so is the last of them, which says where that ended. Live jobs and history
 * are seen in one snapshot, so that a job which is finalized meanwhile is there once.
 */
function listText(params: {
    schema: QuotedSchema
    sources: readonly ListSource[]
    order: "asc" | "desc"
    hasPayloads: boolean
}): string {
    const { schema, order } = params
    const chunk = chunkText(params)
    return /* sql */ `-- cuckmq: list-jobs
with seen as materialized (
    select chunk.*, ${fits(schema)} as is_found
    from (${chunk}) as chunk
    where (${fits(schema)}) or chunk.place = $13::integer
    order by chunk.id ${order}
    limit $14::integer
)
select seen.place = $13::integer, seen.is_found, seen.id, definition.name, definition.channel, seen.state, seen.priority, seen.attempt,
    date_part('epoch', seen.created_at) * 1000::double precision, date_part('epoch', seen.due_at) * 1000::double precision,
    date_part('epoch', seen.claimed_at) * 1000::double precision, date_part('epoch', seen.finalized_at) * 1000::double precision,
    coalesce(lease.worker, seen.worker), seen.reason, left(seen.errors -> -1 ->> 'message', 1000), seen.is_cancelled,
    seen.lane, seen.slot
from seen
left join ${schema}.job_definition as definition on definition.id = seen.definition_id
left join ${schema}.lease on lease.id = seen.lease_id
order by seen.place`
}

const texts = new Map<string, (schema: QuotedSchema) => string>()

/** Lists jobs behind an id, looking through `numLooks` of them. Without sources there are none. */
export async function listJobs({
    run,
    schema,
    sources,
    order,
    afterID,
    filter,
    limit,
    numLooks,
}: Query & {
    sources: readonly ListSource[]
    order: "asc" | "desc"
    afterID: number
    filter: JobFilter
    limit: number
    numLooks: number
}): Promise<ListedJobs> {
    if (sources.length === 0) return { rows: [], next: null }
    const hasPayloads = filter.payload !== null
    const name = `${order} ${sources.join(" ")} ${hasPayloads}`
    const text =
        texts.get(name) ??
        statementText((quoted) => listText({ schema: quoted, sources, order, hasPayloads }))
    texts.set(name, text)
    const rows = await run(text(schema), [afterID, ...filterValues(filter), numLooks, limit])
    const listed = rows.filter((row) => row[1] === "t").map(toListedRow)
    const last = listed.length === limit ? listed.at(-1) : undefined
    const end = rows.find((row) => row[0] === "t")
    return { rows: listed, next: last ?? (end === undefined ? null : toListedRow(end)) }
}

function endOf(row: Row | undefined): ListedJobs["next"] {
    const id = numberOrNull(row?.[0])
    return id === null ? null : { id, createdAtMs: Number(row?.[1]) }
}

function toListedRow(row: Row): ListedRow {
    return {
        id: Number(row[2]),
        definition: row[3] ?? "",
        channel: row[4] ?? "",
        state: row[5] ?? "",
        priority: Number(row[6]),
        attempt: Number(row[7]),
        createdAtMs: Number(row[8]),
        dueAtMs: Number(row[9]),
        claimedAtMs: numberOrNull(row[10]),
        finalizedAtMs: numberOrNull(row[11]),
        worker: row[12] ?? null,
        reason: row[13] ?? null,
        errorMessage: row[14] ?? null,
        isCancelRequested: row[15] === "t",
        lane: row[16] ?? null,
        slot: numberOrNull(row[17]),
    }
}

const countTexts = new Map<string, (schema: QuotedSchema) => string>()

/** Only what the filter asks for is read of them. */
function countText(schema: QuotedSchema, source: ListSource): string {
    const chunk = chunkText({ schema, sources: [source], order: "asc", hasPayloads: true })
    return /* sql */ `-- cuckmq: count-fitting-jobs
select
    max(chunk.id) filter (where place = $13::integer),
    date_part('epoch', max(chunk.created_at) filter (where place = $13::integer)) * 1000::double precision,
    count(*) filter (where ${fits(schema)})
from (${chunk}) as chunk`
}

/** Counts those that fit of so many jobs behind an id; `next` is where that ended, if there may be more. */
export async function countFittingJobs({
    run,
    schema,
    source,
    afterID,
    filter,
    numLooks,
}: Query & {
    source: ListSource
    afterID: number
    filter: JobFilter
    numLooks: number
}): Promise<{ num: number; next: ListedJobs["next"] }> {
    const text = countTexts.get(source) ?? statementText((quoted) => countText(quoted, source))
    countTexts.set(source, text)
    const [row] = await run(text(schema), [afterID, ...filterValues(filter), numLooks])
    return { num: Number(row?.[2]), next: endOf(row) }
}
