import { type QuotedSchema, statementText } from "../db/identifier.ts"
import { HISTORY_COLUMNS } from "./finalize-jobs.ts"
import { DEFAULT_RING, openSlot, openSlotOf } from "./history-rings.ts"
import type { ClaimKey, Query } from "./query.ts"

/**
 * Moves a job to history within its job function's own transaction. Only while it runs under the token given: one that
 * was handed back, taken back, retried or finalized meanwhile is not this run's any more. Until the transaction ends
 * the row is locked, and still there for others: claims do not look at running jobs, those who reclaim skip it, and
 * those who end claims give up soon and come back. It waits as long as the caller's `lock_timeout` says.
 */
function completeText(schema: QuotedSchema, slot: string): string {
    return /* sql */ `-- cuckmq: complete-job
with done as (
    delete from ${schema}.job
    where id = $1::bigint and token = $2::integer and state = 'running' and has_dependents = $3::boolean
    returning *
)
insert into ${schema}.job_history (${HISTORY_COLUMNS})
select
    id, definition_id, created_at, coalesce(first_due_at, due_at), claimed_at, clock_timestamp(),
    ${slot}, token, attempt, priority,
    'succeeded', null, $4::text, payload, $5::text::json, errors
from done
returning id`
}

const text = statementText((schema) => completeText(schema, openSlot(schema)))
const textOfRing = statementText((schema) => completeText(schema, openSlotOf("$6", schema)))

interface Complete extends Query {
    job: ClaimKey
    /** Whether to complete it if others depend on it, or if none do. */
    hasDependents: boolean
    worker: string
    /** The job's result as JSON text. */
    result: string | null
    /** The ring of history that the job goes to. */
    ring: number
}

/** Returns whether the job was there to complete. */
export async function completeJob({ run, schema, ...params }: Complete): Promise<boolean> {
    const { job, hasDependents, worker, result, ring } = params
    const values = [job.id, job.token, hasDependents, worker, result]
    const rows =
        ring === DEFAULT_RING
            ? await run(text(schema), values)
            : await run(textOfRing(schema), [...values, ring])
    return rows.length > 0
}
