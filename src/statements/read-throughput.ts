import { statementText } from "../db/identifier.ts"
import type { Query } from "./query.ts"
import { type JobCounts, READ_COLUMNS, TOTALS, toJobCounts } from "./throughput-rows.ts"

/** What became of jobs from one instant to another. */
export interface ThroughputQuery {
    /** The name of a definition; null for all. */
    definition: string | null
    /** A channel; null for all. */
    channel: string | null
    /** Milliseconds since 1970: from this one on. */
    fromMs: number
    /** Up to this one, without it. */
    untilMs: number
    /** The length of a part. */
    stepMs: number
}

/** Sums by parts of equal length, in one snapshot, and the database's clock with them. */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: read-throughput
with piece as materialized (
    select 0::bigint as definition_id,
        floor((date_part('epoch', counted.began_at) * 1000::double precision - $3::double precision)
            / $5::double precision)::integer as part,
        num_succeeded, num_retried, wait_ms, run_ms, num_failed, wait_counts, run_counts
    from ${schema}.throughput as counted
    left join ${schema}.job_definition as definition on definition.id = counted.definition_id
    where counted.span in ('minute', 'hour')
        and counted.began_at >= to_timestamp($3::double precision / 1000::double precision)
        and counted.began_at < to_timestamp($4::double precision / 1000::double precision)
        and ($1::text is null or definition.name = $1)
        and ($2::text is null or definition.channel = $2)
), ${TOTALS}
select date_part('epoch', clock_timestamp()) * 1000::double precision, part, ${READ_COLUMNS}
from (select) as one
left join total on true`,
)

/** Reads counts by parts, numbered from 0. A part in which nothing was counted is not among them. */
export async function readThroughput({
    run,
    schema,
    ...query
}: Query & ThroughputQuery): Promise<{ nowMs: number; parts: Map<number, JobCounts> }> {
    const { definition, channel, fromMs, untilMs, stepMs } = query
    const rows = await run(text(schema), [definition, channel, fromMs, untilMs, stepMs])
    const parts = new Map<number, JobCounts>()
    for (const [, part, ...counts] of rows)
        if (typeof part === "string") parts.set(Number(part), toJobCounts(counts))
    return { nowMs: Number(rows[0]?.[0]), parts }
}
