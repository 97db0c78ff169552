import { statementText } from "../db/identifier.ts"
import { HISTORY_COLUMNS } from "./finalize-jobs.ts"
import type { ClaimKey, Query } from "./query.ts"

/**
 * Moves a job to history within its job function's own transaction. Only while it runs under the token given: one that
 * was handed back, taken back, retried or finalized meanwhile is not this run's any more. Until the transaction ends
 * the row is locked, and still there for others: claims do not look at running jobs, those who reclaim skip it, and
 * those who end claims give up soon and come back. It waits as long as the caller's `lock_timeout` says.
 */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: complete-job
with done as (
    delete from ${schema}.job
    where id = $1::bigint and token = $2::integer and state = 'running' and has_dependents = $3::boolean
    returning *
)
insert into ${schema}.job_history (${HISTORY_COLUMNS})
select
    id, definition_id, created_at, due_at, claimed_at, clock_timestamp(),
    (select slot from ${schema}.history_ring), token, attempt, priority,
    'succeeded', null, $4::text, payload, $5::text::json, errors
from done
returning id`,
)

interface Complete extends Query {
    job: ClaimKey
    /** Whether to complete it if others depend on it, or if none do. */
    hasDependents: boolean
    worker: string
    /** The job's result as JSON text. */
    result: string | null
}

/** Returns whether the job was there to complete. */
export async function completeJob({ run, schema, ...params }: Complete): Promise<boolean> {
    const { job, hasDependents, worker, result } = params
    const rows = await run(text(schema), [job.id, job.token, hasDependents, worker, result])
    return rows.length > 0
}
