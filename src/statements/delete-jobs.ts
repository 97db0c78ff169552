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

/** Where the slots are known, each id is looked up in one index. */
const inSlotsText = statementText(
    (schema) => /* sql */ `-- cuckmq: delete-jobs-in-slots
delete from ${schema}.job_history
using rows from (pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::integer[])) as wanted(id, slot)
where job_history.id = any(array[wanted.id]) and job_history.slot = wanted.slot
returning job_history.id`,
)

/**
 * Deletes those of the jobs that are finalized. Returns which. `slots` are where the jobs were found; who was replayed
 * since, and has ended anew, is somewhere else and stays.
 */
export async function deleteJobs({
    run,
    schema,
    ids,
    slots,
}: Query & { ids: readonly number[]; slots?: readonly number[] }): Promise<number[]> {
    const rows =
        slots === undefined
            ? await run(text(schema), [numberList(ids)])
            : await run(inSlotsText(schema), [numberList(ids), numberList(slots)])
    return rows.map(([id]) => Number(id))
}
