import { numberOrNull } from "../db/cell.ts"
import { numberList } from "../db/encode.ts"
import { statementText } from "../db/identifier.ts"
import { JobCancelledError } from "../errors.ts"
import { recordThrown } from "../thrown.ts"
import { hasID, IS_RUNNING, PREPARED_WHILE_QUICK, type Query } from "./query.ts"

/** A job that was found when it was to be cancelled. */
export interface CancelledJob {
    id: number
    token: number
    attempt: number
    /** Its worker has yet to be told. If not, it will never run again, and is to be finalized. */
    isRunning: boolean
    /** Why, as who cancelled it first has said. */
    reason: string | null
    /** Those of its definition, if that is still there. */
    name: string
    channel: string
    /** How long its definition wants it kept, in milliseconds; null when it does not say. */
    keepMs: number | null
}

/**
 * Cancels live jobs. One that runs is only marked, for its worker to see: it goes on until that has been told. Any other
 * is `exhausted` from here on, which no claim looks at and from which nothing leads but to history: finalizing it comes
 * next, and is for whoever finds it should we get no further. A new token fences what earlier claims of it still write.
 *
 * The rows are locked first, in the order of their ids, and only then read: a claim, or an end of a claim, that was
 * under way is over by then, or comes after us and finds what we wrote. The order is said of the ids that are wanted: an
 * order of the table's own could be had by walking through its index, past whatever an old snapshot keeps there.
 */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: cancel-jobs
with asked as materialized (
    select job.id
    from (
        select case when $3::text is null then '' else set_config('lock_timeout', $3, true) end as lock_timeout
    ) as patience
    cross join pg_catalog.unnest($1::bigint[]) as wanted(id)
    join ${schema}.job on ${hasID("wanted.id")}
    where patience.lock_timeout is not null
    order by wanted.id
    for update of job
), cancelled as (
    update ${schema}.job
    set state = case when ${IS_RUNNING} then 'running' else 'exhausted' end::${schema}.job_state,
        token = case when ${IS_RUNNING} then job.token else job.token + 1 end,
        cancelled_at = coalesce(job.cancelled_at, clock_timestamp()),
        cancel_reason = case when job.cancelled_at is null then $2 else job.cancel_reason end
    from asked
    where ${hasID("asked.id")}
    returning job.id, job.token, job.attempt, job.state, job.cancel_reason, job.definition_id
)
select
    cancelled.id, cancelled.token, cancelled.attempt, cancelled.state, cancelled.cancel_reason,
    definition.name, definition.channel, definition.keep_failed_ms
from cancelled
left join ${schema}.job_definition as definition on definition.id = cancelled.definition_id`,
)

/**
 * Cancels those of the jobs that are live; the others are not in what it returns. Waits for so many milliseconds for one
 * that is locked; null for as long as the transaction says that it is part of.
 */
export async function cancelJobs({
    run,
    schema,
    ids,
    reason,
    lockMs,
}: Query & { ids: readonly number[]; reason: string | null; lockMs: number | null }): Promise<
    CancelledJob[]
> {
    const rows = await run(text(schema), [numberList(ids), reason, lockMs === null ? null : `${lockMs}ms`])
    return rows.map((row) => ({
        id: Number(row[0]),
        token: Number(row[1]),
        attempt: Number(row[2]),
        isRunning: row[3] === "running",
        reason: row[4] ?? null,
        name: row[5] ?? "",
        channel: row[6] ?? "",
        keepMs: numberOrNull(row[7]),
    }))
}

const finalizedText = statementText(
    (schema) => /* sql */ `-- cuckmq: find-finalized-jobs
select job_history.id, 'finalized'
from pg_catalog.unnest($1::bigint[]) as wanted(id)
join ${schema}.job_history on job_history.id = any(array[wanted.id])
union
select job.id, 'live'
from pg_catalog.unnest($1::bigint[]) as wanted(id)
join ${schema}.job on ${hasID("wanted.id")}`,
)

/**
 * Which of the jobs are in history, and which are live: a dead letter that is replayed is one or the other in any one
 * snapshot, but neither to who looks for live jobs before, and for history after.
 */
export async function findFinalizedJobs({
    run,
    schema,
    ids,
}: Query & { ids: readonly number[] }): Promise<{ finalized: number[]; live: number[] }> {
    const rows = await run(finalizedText(schema), [numberList(ids)])
    const idsOf = (kind: string) => rows.filter((row) => row[1] === kind).map(([id]) => Number(id))
    return { finalized: idsOf("finalized"), live: idsOf("live") }
}

/** A run that is to end. */
export interface CancelRequest {
    id: number
    token: number
    reason: string | null
}

const requestsText = statementText(
    (schema) => /* sql */ `-- cuckmq: select-cancel-requests
select id, token, cancel_reason
from ${schema}.job
where state = 'running' and cancelled_at is not null and lease_id = any($1::bigint[])`,
)

/** The jobs under leases of ours that are to be cancelled. */
export async function selectCancelRequests({
    run,
    schema,
    leaseIDs,
}: Query & { leaseIDs: readonly number[] }): Promise<CancelRequest[]> {
    const rows = await run(requestsText(schema), [numberList(leaseIDs)], PREPARED_WHILE_QUICK)
    return rows.map((row) => ({ id: Number(row[0]), token: Number(row[1]), reason: row[2] ?? null }))
}

/** What history keeps of a job that was cancelled while no worker ran it, as JSON text. */
export function cancellationRecord(job: { id: number; attempt: number; reason: string | null }): string {
    const thrown = new JobCancelledError({ jobID: job.id, reason: job.reason })
    const record = recordThrown({ thrown, attempt: job.attempt, worker: null })
    return JSON.stringify({ ...record, stack: null })
}
