import { numberList } from "../db/encode.ts"
import { jobSequence, statementText } from "../db/identifier.ts"
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

/** A run that wants its job to be taken up again later. */
export interface Snooze extends ClaimKey {
    delayMs: number
}

/**
 * Puts claimed jobs off without charging the attempt. They are due anew, so they have their whole time again, and a new
 * position, so that claims that are past the old one see them. One that is to be cancelled ends.
 */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: snooze-jobs
update ${schema}.job
set state = case
        when ${IS_CANCELLED} then 'exhausted'
        when snooze.delay_ms > 0::double precision then 'delayed'
        else 'ready'
    end::${schema}.job_state,
    first_due_at = coalesce(job.first_due_at, job.due_at),
    due_at = clock_timestamp() + snooze.delay_ms * interval '1 ms',
    expires_at = clock_timestamp()
        + (snooze.delay_ms + coalesce(job.timeout_interval_ms, definition.timeout_interval_ms)) * interval '1 ms',
    position = nextval(${jobSequence(schema)}),
    attempt = job.attempt - 1,
    lease_id = null
from rows from (
    pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::integer[]), pg_catalog.unnest($3::double precision[])
) as snooze(id, token, delay_ms), ${schema}.job_definition as definition
where ${IS_IMPATIENT} and definition.id = job.definition_id
    and ${isClaimedAs("snooze")}
returning job.id, job.state`,
)

/** Returns which of the jobs were ours to put off. */
export async function snoozeJobs({ run, schema, jobs }: Query & { jobs: readonly Snooze[] }): Promise<LetGo> {
    const inOrder = byID(jobs)
    const rows = await run(text(schema), [
        numberList(inOrder.map((job) => job.id)),
        numberList(inOrder.map((job) => job.token)),
        numberList(inOrder.map((job) => job.delayMs)),
    ])
    return toLetGo(rows)
}
