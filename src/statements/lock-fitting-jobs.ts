import { numberList } from "../db/encode.ts"
import { statementText } from "../db/identifier.ts"
import { filterValues, fits, type JobFilter } from "./list-jobs.ts"
import { hasID, type Query } from "./query.ts"

/**
 * Locks live jobs in the order of their ids, as every statement does that locks more than one, and reads them only then:
 * one that a worker took since it was found fits no more, where its state was asked for.
 */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: lock-fitting-jobs
with chunk as materialized (
    select job.id, job.definition_id, job.state::text as state, job.lane, job.created_at, job.errors, job.payload,
        null::text as reason, null::timestamptz as finalized_at
    from pg_catalog.unnest($1::bigint[]) as wanted(id)
    join ${schema}.job on ${hasID("wanted.id")}
    order by wanted.id
    for update of job
)
select chunk.id from chunk
where ${fits(schema)}`,
)

/** Locks live jobs for this transaction. Returns those that fit. */
export async function lockFittingJobs({
    run,
    schema,
    ids,
    filter,
}: Query & { ids: readonly number[]; filter: JobFilter }): Promise<number[]> {
    const rows = await run(text(schema), [numberList(ids), ...filterValues(filter)])
    return rows.map(([id]) => Number(id)).sort((a, b) => a - b)
}
