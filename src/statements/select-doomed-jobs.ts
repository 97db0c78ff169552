import { numberOrNull } from "../db/cell.ts"
import { numberList } from "../db/encode.ts"
import { statementText } from "../db/identifier.ts"
import { cancellationRecord } from "./cancel-jobs.ts"
import { hasPausedKey } from "./paused-keys.ts"
import { pausedDefinitions } from "./pauses.ts"
import { type ClaimKey, IS_CANCELLED, type Query } from "./query.ts"

/** A job that is to be finalized as failed without another attempt. */
export interface DoomedJob extends ClaimKey {
    name: string
    /** How long its definition wants it kept, in milliseconds; null when it does not say. */
    keepMs: number | null
    /** What history is to keep of why, besides the errors of attempts, as JSON text. */
    error: string | null
}

function toDoomedJob(row: readonly (string | null)[]): DoomedJob {
    return {
        id: Number(row[0]),
        token: Number(row[1]),
        name: row[2] ?? "",
        keepMs: numberOrNull(row[3]),
        error: null,
    }
}

/** A job in a state that only waits for the end. */
export interface EndingJob extends DoomedJob {
    /** It was cancelled, and that is why it ends. */
    isCancelled: boolean
}

function toEndingJob(row: readonly (string | null)[]): EndingJob {
    const job = toDoomedJob(row)
    if (row[4] !== "t") return { ...job, isCancelled: false }
    const error = cancellationRecord({ id: job.id, attempt: Number(row[5]), reason: row[6] ?? null })
    return { ...job, error, isCancelled: true }
}

const doomedText = statementText(
    (schema) => /* sql */ `-- cuckmq: select-doomed-jobs
select job.id, job.token, definition.name, definition.keep_failed_ms, ${IS_CANCELLED}, job.attempt, job.cancel_reason
from ${schema}.job
left join ${schema}.job_definition as definition on definition.id = job.definition_id
where job.state = $1::${schema}.job_state and job.state in ('unmet', 'exhausted')
order by job.id
limit $2::integer`,
)

/**
 * Jobs that depend on one that failed (`unmet`), or whose last attempt ended with its worker or that were cancelled
 * (`exhausted`).
 */
export async function selectDoomedJobs({
    run,
    schema,
    state,
    limit,
}: Query & { state: "unmet" | "exhausted"; limit: number }): Promise<EndingJob[]> {
    return (await run(doomedText(schema), [state, limit])).map(toEndingJob)
}

/** A running job has a worker that ends it in time; only when that failed for this long is it ended from outside. */
const RUNNING_GRACE = "interval '5 seconds'"

const expiredText = statementText(
    (schema) => /* sql */ `-- cuckmq: select-expired-jobs
with chunk as materialized (
    select id, token, definition_id, expires_at, state from ${schema}.job where id > $1 order by id limit $2::integer
)
select chunk.id, chunk.token, definition.name, definition.keep_failed_ms, (select max(id) from chunk)
from (select) as one
left join chunk on chunk.expires_at
    < clock_timestamp() - case when chunk.state = 'running' then ${RUNNING_GRACE} else interval '0' end
left join ${schema}.job_definition as definition on definition.id = chunk.definition_id`,
)

/** Looks through one chunk of the live jobs, by id, for those that have timed out. `lastID` is null at the end. */
export async function selectExpiredJobs({
    run,
    schema,
    afterID,
    limit,
}: Query & { afterID: number; limit: number }): Promise<{ expired: DoomedJob[]; lastID: number | null }> {
    const rows = await run(expiredText(schema), [afterID, limit])
    return {
        expired: rows.filter((row) => row[0] !== null).map(toDoomedJob),
        lastID: numberOrNull(rows[0]?.[4]),
    }
}

const orphanedText = statementText(
    (schema) => /* sql */ `-- cuckmq: select-orphaned-jobs
select job.id, job.token, definition.name, definition.keep_failed_ms
from ${schema}.job_definition as definition
cross join lateral (
    select id, token from ${schema}.job
    where job.definition_id = definition.id and job.state = 'ready'
    order by job.priority, job.position
    limit $4::integer
) as job
where definition.channel = $1 and definition.id <> all($2::bigint[])
    and definition.id <> all(${pausedDefinitions(schema)}) and not ${hasPausedKey(schema)}
    and definition.heartbeat_at < clock_timestamp() - $3::double precision * interval '1 ms'
limit $4::integer`,
)

/**
 * Ready jobs of a channel whose definition no daemon has vouched for within the grace. While it is paused, or a key of it
 * is, nobody need run a daemon that knows it.
 */
export async function selectOrphanedJobs({
    run,
    schema,
    channel,
    knownIDs,
    graceMs,
    limit,
}: Query & { channel: string; knownIDs: readonly number[]; graceMs: number; limit: number }): Promise<
    DoomedJob[]
> {
    return (await run(orphanedText(schema), [channel, numberList(knownIDs), graceMs, limit])).map(toDoomedJob)
}
