import { type QuotedSchema, statementText } from "../db/identifier.ts"
import type { Query } from "./query.ts"

/** The tables of what job functions said of their runs. */
const TABLES = ["job_log", "job_progress"] as const

/** One of them. */
export type SaidTable = (typeof TABLES)[number]

/** All of them. */
export const SAID_TABLES: readonly SaidTable[] = TABLES

/**
 * Says that a job is neither live nor in history. So said that each is looked up by its id: the planner would rather read
 * all of history once. A job goes from one to the other in one statement, so a snapshot shows it in one of them.
 */
const isGone = (
    schema: QuotedSchema,
) => /* sql */ `not exists (select from ${schema}.job where job.id = any(array[chunk.id]))
        and not exists (select from ${schema}.job_history where job_history.id = any(array[chunk.id]))`

/**
 * Deletes what jobs have said that are gone, out of a chunk of all jobs that said something. The ids come from the primary
 * key, one look for each, however many lines a job has.
 */
const sweepTexts = TABLES.map((table) =>
    statementText(
        (schema) => /* sql */ `-- cuckmq: sweep-job-logs
with recursive said as (
    (select job_id as id from ${schema}.${table} where job_id > $1::bigint order by job_id limit 1)
    union all
    select (
        select next.job_id from ${schema}.${table} as next where next.job_id > said.id order by next.job_id limit 1
    )
    from said
    where said.id is not null
), chunk as materialized (
    select id from said where id is not null limit $2::integer
), gone as materialized (
    select chunk.id from chunk
    where ${isGone(schema)}
), deleted as (
    delete from ${schema}.${table} as old
    using gone
    where old.job_id = gone.id
)
select max(id), count(*) from chunk`,
    ),
)

/** Sweeps a chunk of the jobs after `after`. Returns the last one that it looked at; undefined at the end. */
export async function sweepJobLogs({
    run,
    schema,
    table,
    after,
    limit,
}: Query & { table: SaidTable; after: number; limit: number }): Promise<number | undefined> {
    const [row] = await run(sweepTexts[TABLES.indexOf(table)]?.(schema) ?? "", [after, limit])
    return Number(row?.[1]) < limit ? undefined : Number(row?.[0])
}

const deleteText = statementText(
    (schema) => /* sql */ `-- cuckmq: delete-job-logs
with line as (
    delete from ${schema}.job_log where job_id = any($1::bigint[])
)
delete from ${schema}.job_progress where job_id = any($1::bigint[])`,
)

/** Deletes what jobs have said, for those who remove the jobs themselves. `ids` is a `numberList`. */
export async function deleteJobLogs({ run, schema, ids }: Query & { ids: string }): Promise<void> {
    await run(deleteText(schema), [ids])
}
