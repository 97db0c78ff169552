import { statementText } from "../db/identifier.ts"
import { IS_HELD } from "./insert-unique-jobs.ts"
import { hasID, type Query } from "./query.ts"

/**
 * Deletes the rows of keys that no job has any more, out of a chunk of all. A key that is free stays free until somebody
 * takes it, and its row names another job then: so a row is deleted only if it still names the job that we looked up. One
 * that is locked is being taken.
 */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: sweep-unique-keys
with chunk as materialized (
    select definition_id, key, job_id, held_while, held_until
    from ${schema}.unique_key
    where (definition_id, key) > ($1::bigint, $2::text)
    order by definition_id, key
    limit $3::integer
), free as materialized (
    select held.definition_id, held.key, held.job_id
    from chunk as held
    left join ${schema}.job on ${hasID("held.job_id")}
    where not ${IS_HELD}
), locked as materialized (
    select unique_key.definition_id, unique_key.key
    from free
    join ${schema}.unique_key
        on unique_key.definition_id = free.definition_id and unique_key.key = free.key
        and unique_key.job_id = free.job_id
    for update of unique_key skip locked
), deleted as (
    delete from ${schema}.unique_key
    using locked
    where unique_key.definition_id = locked.definition_id and unique_key.key = locked.key
)
select definition_id, key from chunk order by definition_id desc, key desc limit 1`,
)

/** Where among the keys a sweep goes on. */
export interface KeyCursor {
    definitionID: number
    key: string
}

/** Before every key. */
export const FIRST_KEY: KeyCursor = { definitionID: 0, key: "" }

/** Sweeps the chunk of keys after `after`. Returns the last one that it looked at; undefined at the end. */
export async function sweepUniqueKeys({
    run,
    schema,
    after,
    limit,
}: Query & { after: KeyCursor; limit: number }): Promise<KeyCursor | undefined> {
    const [last] = await run(text(schema), [after.definitionID, after.key, limit])
    return last === undefined ? undefined : { definitionID: Number(last[0]), key: String(last[1]) }
}
