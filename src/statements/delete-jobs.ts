import { numberList } from "../db/encode.ts"
import { statementText } from "../db/identifier.ts"
import type { Query } from "./query.ts"

/**
 * Removes finalized jobs from history. Each is looked up by its id, in the index that every slot has. Of a replay of the
 * same job at the same time, the later waits, and then finds nothing. Nothing else names a finalized job but a key that is
 * held for a time, which goes on without it, and edges of one that was finalized before what it waited for was: those go
 * when that is finalized.
 */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: delete-jobs
delete from ${schema}.job_history
using pg_catalog.unnest($1::bigint[]) as wanted(id)
where job_history.id = any(array[wanted.id])
returning job_history.id`,
)

/** Deletes those of the jobs that are finalized. Returns which. */
export async function deleteJobs({
    run,
    schema,
    ids,
}: Query & { ids: readonly number[] }): Promise<number[]> {
    return (await run(text(schema), [numberList(ids)])).map(([id]) => Number(id))
}
