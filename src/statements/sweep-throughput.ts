import { statementText } from "../db/identifier.ts"
import type { Query } from "./query.ts"
import { ADD_COUNTS, COUNT_COLUMNS, TOTALS } from "./throughput-rows.ts"

/**
 * Adds minutes to their hours and deletes them, in one statement: so whoever reads finds what they count in one of the
 * two, and never in both. An hour may come in pieces. Another orchestrator's minutes are skipped; hours are taken in one
 * order. Hours go by UTC, since those of other zones do not begin together.
 */
const mergeText = statementText(
    (schema) => /* sql */ `-- cuckmq: merge-throughput
with old as materialized (
    select began_at, definition_id
    from ${schema}.throughput
    where span = 'minute'
        and began_at < date_trunc('hour', clock_timestamp() - $1::double precision * interval '1 ms', 'UTC')
    order by began_at, definition_id
    limit $2::integer
    for update skip locked
), gone as (
    delete from ${schema}.throughput as minute
    using old
    where minute.span = 'minute' and minute.began_at = old.began_at and minute.definition_id = old.definition_id
    returning minute.*
), piece as materialized (
    select gone.*, date_trunc('hour', gone.began_at, 'UTC') as part from gone
), ${TOTALS}, added as (
    insert into ${schema}.throughput as known (span, began_at, definition_id, ${COUNT_COLUMNS})
    select 'hour', part, definition_id, ${COUNT_COLUMNS}
    from total
    order by definition_id, part
    ${ADD_COUNTS}
)
select count(*) from piece`,
)

/** Merges up to `limit` minutes into hours, of hours that began longer than `keepMs` ago. Returns how many. */
export async function mergeThroughput(params: Query & { keepMs: number; limit: number }): Promise<number> {
    const [row] = await params.run(mergeText(params.schema), [params.keepMs, params.limit])
    return Number(row?.[0])
}

const deleteText = statementText(
    (schema) => /* sql */ `-- cuckmq: delete-throughput
with old as materialized (
    select began_at, definition_id
    from ${schema}.throughput
    where span = 'hour' and began_at < clock_timestamp() - $1::double precision * interval '1 ms'
    order by began_at, definition_id
    limit $2::integer
    for update skip locked
), gone as (
    delete from ${schema}.throughput as hour
    using old
    where hour.span = 'hour' and hour.began_at = old.began_at and hour.definition_id = old.definition_id
    returning 1
)
select count(*) from gone`,
)

/** Deletes up to `limit` hours that began longer than `keepMs` ago. Returns how many. */
export async function deleteThroughput(params: Query & { keepMs: number; limit: number }): Promise<number> {
    const [row] = await params.run(deleteText(params.schema), [params.keepMs, params.limit])
    return Number(row?.[0])
}
