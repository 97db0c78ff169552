import { jsonList, numberList } from "../db/encode.ts"
import { jobSequence, statementText } from "../db/identifier.ts"
import { withError } from "./job-errors.ts"
import {
    byID,
    type ClaimKey,
    IS_CANCELLED,
    IS_IMPATIENT,
    isClaimedAs,
    type LetGo,
    type Query,
    toLetGo,
} from "./query.ts"

/** A failed attempt whose job gets another one. */
export interface Retry extends ClaimKey {
    delayMs: number
    /** What the attempt threw, as JSON text. */
    error: string
}

/**
 * Gives failed jobs back for another attempt, each with a new position, so that claims that are past it see it. One that
 * is to be cancelled gets none.
 */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: retry-jobs
update ${schema}.job
set state = case
        when ${IS_CANCELLED} then 'exhausted'
        when retry.delay_ms > 0::double precision then 'delayed'
        else 'ready'
    end::${schema}.job_state,
    first_due_at = coalesce(job.first_due_at, job.due_at),
    due_at = clock_timestamp() + retry.delay_ms * interval '1 ms',
    position = nextval(${jobSequence(schema)}),
    lease_id = null,
    errors = ${withError("job.errors", "retry.error")}
from rows from (
    pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::integer[]), pg_catalog.unnest($3::double precision[]),
    pg_catalog.unnest(string_to_array($4, chr(30), ''))
) as retry(id, token, delay_ms, error)
where ${IS_IMPATIENT} and ${isClaimedAs("retry")}
returning job.id, job.state`,
)

/** Returns which of the jobs were ours to retry. */
export async function retryJobs({ run, schema, jobs }: Query & { jobs: readonly Retry[] }): Promise<LetGo> {
    const inOrder = byID(jobs)
    const rows = await run(text(schema), [
        numberList(inOrder.map((job) => job.id)),
        numberList(inOrder.map((job) => job.token)),
        numberList(inOrder.map((job) => job.delayMs)),
        jsonList(inOrder.map((job) => job.error)),
    ])
    return toLetGo(rows)
}
