import { statementText } from "../db/identifier.ts"
import type { Query } from "./query.ts"

/** How many lines of a job are kept: the last ones. */
export const MAX_KEPT_LINES = 1_000

/** A line that a job function has logged. */
export interface LogLine {
    readonly jobID: number
    /** Of the claim that it was said under. */
    readonly token: number
    /** Its place among what was said under that claim. */
    readonly number: number
    readonly attempt: number
    /** How long ago it was said. */
    readonly agoMs: number
    readonly message: string
}

/** How far a job is, as JSON text. */
export interface ProgressNote {
    readonly jobID: number
    readonly token: number
    readonly progress: string
}

/**
 * Writes lines, and removes those of the same jobs that are too many then, of those that were there before. A line that is
 * there already stays, so this may be repeated. Two processes that write for the same job, one of which has lost it, may leave
 * a few lines more. All take rows in the order of their keys, so that none of them wait in a circle. A progress of an earlier
 * claim does not take the place of a later one's.
 */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: write-job-logs
with line as materialized (
    select job_id, token, number, attempt, ago_ms, message
    from pg_catalog.json_to_recordset($1::json) as said(
        job_id bigint, token bigint, number bigint, attempt integer, ago_ms double precision, message text
    )
), excess as materialized (
    select job.job_id, last.token, last.number
    from (select job_id, count(*) as num_lines from line group by job_id) as job
    cross join lateral (
        select log.token, log.number
        from ${schema}.job_log as log
        where log.job_id = job.job_id
        order by log.job_id desc, log.token desc, log.number desc
        offset greatest(0::bigint, ${MAX_KEPT_LINES} - job.num_lines) limit 1
    ) as last
), removed as (
    delete from ${schema}.job_log as log
    using excess
    where log.job_id = excess.job_id and (log.token, log.number) <= (excess.token, excess.number)
), written as (
    insert into ${schema}.job_log (job_id, token, number, attempt, at, message)
    select job_id, token, number, attempt, statement_timestamp() - ago_ms * interval '1 ms', message
    from line
    order by job_id, token, number
    on conflict (job_id, token, number) do nothing
)
insert into ${schema}.job_progress as known (job_id, token, progress)
select said.job_id, said.token, said.progress::json
from pg_catalog.json_to_recordset($2::json) as said(job_id bigint, token bigint, progress text)
order by said.job_id
on conflict (job_id) do update
set token = excluded.token, progress = excluded.progress
where known.token <= excluded.token`,
)

/** Writes what job functions have said. No two progresses may be of the same job. May be repeated. */
export async function writeJobLogs({
    run,
    schema,
    lines,
    progresses,
}: Query & { lines: readonly LogLine[]; progresses: readonly ProgressNote[] }): Promise<void> {
    const items = lines.map(({ jobID, token, number, attempt, agoMs, message }) => ({
        job_id: jobID,
        token,
        number,
        attempt,
        ago_ms: agoMs,
        message,
    }))
    const notes = progresses.map(({ jobID, token, progress }) => ({ job_id: jobID, token, progress }))
    await run(text(schema), [JSON.stringify(items), JSON.stringify(notes)])
}
