import { statementText } from "../db/identifier.ts"
import type { Query } from "./query.ts"
import { ADD_COUNTS, type JobCounts } from "./throughput-rows.ts"

/**
 * Adds counts to the row of their minute and to that of all time. Which minute, the database's clock says. Those who
 * write the same rows wait for each other, for the length of a statement, and take rows in the order of definitions: so
 * none of them wait in a circle. What is counted of a definition that is gone is left out.
 */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: write-throughput
insert into ${schema}.throughput as known
    (span, began_at, definition_id, num_succeeded, num_retried, wait_ms, run_ms, num_failed, wait_counts, run_counts)
select
    part.span, part.began_at, definition.id, counted.num_succeeded, counted.num_retried, counted.wait_ms, counted.run_ms,
    counted.num_failed, counted.wait_counts, counted.run_counts
from pg_catalog.json_to_recordset($1::json) as counted(
    name text, num_succeeded bigint, num_retried bigint, wait_ms double precision, run_ms double precision,
    num_failed bigint[], wait_counts bigint[], run_counts bigint[]
)
join ${schema}.job_definition as definition on definition.name = counted.name
cross join (
    values ('minute', date_trunc('minute', statement_timestamp() - $2::double precision * interval '1 ms', 'UTC')),
        ('total', '-infinity'::timestamptz)
) as part(span, began_at)
order by definition.id, part.span
${ADD_COUNTS}`,
)

/** Writes down what was counted so many milliseconds ago, by the names of definitions. Not to be repeated once it is done. */
export async function writeThroughput({
    run,
    schema,
    counts,
    ageMs,
}: Query & { counts: ReadonlyMap<string, JobCounts>; ageMs: number }): Promise<void> {
    const items = [...counts].map(([name, { numSucceeded, numRetried, numFailed, wait, run: runs }]) => ({
        name,
        num_succeeded: numSucceeded,
        num_retried: numRetried,
        wait_ms: wait.sumMs,
        run_ms: runs.sumMs,
        num_failed: withoutLastZeros(numFailed),
        wait_counts: withoutLastZeros(wait.counts),
        run_counts: withoutLastZeros(runs.counts),
    }))
    await run(text(schema), [JSON.stringify(items), ageMs])
}

/** Most lists are short then: few jobs wait for an hour. */
function withoutLastZeros(counts: readonly number[]): readonly number[] {
    return counts.slice(0, counts.findLastIndex((count) => count !== 0) + 1)
}
