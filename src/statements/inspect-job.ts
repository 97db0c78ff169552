import type { StoredErrors } from "../attempt-errors.ts"
import { type QuotedSchema, statementText } from "../db/identifier.ts"
import type { Query } from "./query.ts"
import { saidOf } from "./select-job-logs.ts"

/** Milliseconds since 1970, as SQL; null for what is infinite, which JSON has no number for. */
export const ms = (instant: string) =>
    /* sql */ `case when isfinite(${instant}) then date_part('epoch', ${instant}) * 1000::double precision end`

/** Another job that one has to do with. */
export interface RelatedJob {
    id: number
    /** Null when the definition is gone. */
    definition: string | null
    /** As the database has it. */
    state: string
}

/** Everything about a job, live or finalized. Instants are milliseconds since 1970. */
export interface JobFacts {
    id: number
    definition: string | null
    channel: string | null
    /** A state of the database, or an outcome. */
    state: string
    attempt: number
    /** Null for a finalized job. */
    numAttempts: number | null
    priority: number
    lane: string | null
    weight: number | null
    numBlockers: number
    createdAtMs: number
    firstDueAtMs: number
    dueAtMs: number
    expiresAtMs: number | null
    claimedAtMs: number | null
    finalizedAtMs: number | null
    leaseUntilMs: number | null
    isLeaseRevoked: boolean | null
    worker: string | null
    reason: string | null
    cancelledAtMs: number | null
    cancelReason: string | null
    errors: StoredErrors | null
    /** The database's clock. */
    nowMs: number
}

/** The job `$1` as one row, with the columns that a live one has and those of history. It is in one place only. */
export const foundJob = (schema: QuotedSchema) => /* sql */ `found as materialized (
    select job.*, definition.name, definition.channel, definition.limits, definition.release_interval_ms,
        definition.next_release_at, lease.worker as lease_worker, lease.expires_at as lease_until,
        lease.revoked_by is not null or lease.expires_at < clock_timestamp() as is_lease_revoked
    from (
        select id, definition_id, state::text as state, position, attempt, num_attempts, priority, lane, weight, num_blockers,
            created_at, coalesce(first_due_at, due_at) as first_due_at, due_at, expires_at, claimed_at,
            null::timestamptz as finalized_at, lease_id, null::text as worker, null::text as reason,
            cancelled_at, cancel_reason, payload, null::json as result, errors
        from ${schema}.job where id = $1::bigint
        union all
        select id, definition_id, outcome::text, null, attempt, null, priority, null, null, 0,
            created_at, due_at, due_at, null, claimed_at,
            finalized_at, null, worker, reason, null, null, payload, result, errors
        from ${schema}.job_history where id = $1::bigint
    ) as job
    left join ${schema}.job_definition as definition on definition.id = job.definition_id
    left join ${schema}.lease on lease.id = job.lease_id
    limit 1
)`

/** What `JobFacts` are made of. */
export const FACTS = /* sql */ `pg_catalog.jsonb_build_object(
    'id', found.id, 'definition', found.name, 'channel', found.channel, 'state', found.state,
    'attempt', found.attempt, 'numAttempts', found.num_attempts, 'priority', found.priority, 'lane', found.lane,
    'weight', found.weight, 'numBlockers', found.num_blockers,
    'createdAtMs', ${ms("found.created_at")}, 'firstDueAtMs', ${ms("found.first_due_at")},
    'dueAtMs', ${ms("found.due_at")}, 'expiresAtMs', ${ms("found.expires_at")},
    'claimedAtMs', ${ms("found.claimed_at")}, 'finalizedAtMs', ${ms("found.finalized_at")},
    'leaseUntilMs', ${ms("found.lease_until")}, 'isLeaseRevoked', found.is_lease_revoked,
    'worker', coalesce(found.lease_worker, found.worker), 'reason', found.reason,
    'cancelledAtMs', ${ms("found.cancelled_at")}, 'cancelReason', found.cancel_reason, 'errors', found.errors,
    'nowMs', ${ms("clock_timestamp()")}
)`

/** A related job as `RelatedJob`. */
export const RELATED = /* sql */ `pg_catalog.jsonb_build_object(
    'id', other.id, 'definition', definition.name, 'state', other.state)`

/** Everything about a job, with what it carries and the jobs that it has to do with. */
export interface InspectedJob {
    facts: JobFacts
    /** JSON text. */
    payload: string
    result: string | null
    /** The jobs that it waits for, and those that wait for it, up to `maxRelated` of each. */
    required: RelatedJob[]
    dependents: RelatedJob[]
    /** JSON text; null when there is none. */
    progress: string | null
    numLogs: number
}

const text = statementText(
    (schema) => /* sql */ `-- cuckmq: inspect-job
with ${foundJob(schema)}
select ${FACTS}::text, found.payload::text, found.result::text,
    (
        select pg_catalog.jsonb_agg(${RELATED} order by other.id)
        from (
            select required_id from ${schema}.job_dependency where dependent_id = $1::bigint order by required_id limit $2::integer
        ) as edge
        join ${schema}.job as other on other.id = edge.required_id
        left join ${schema}.job_definition as definition on definition.id = other.definition_id
    )::text,
    (
        select pg_catalog.jsonb_agg(${RELATED} order by other.id)
        from (
            select dependent_id from ${schema}.job_dependency where required_id = $1::bigint order by dependent_id limit $2::integer
        ) as edge
        join ${schema}.job as other on other.id = edge.dependent_id
        left join ${schema}.job_definition as definition on definition.id = other.definition_id
    )::text,
    ${saidOf(schema)}
from found`,
)

/** Reads a job; undefined when it is neither live nor in history. */
export async function inspectJob({
    run,
    schema,
    id,
    maxRelated,
}: Query & { id: number; maxRelated: number }): Promise<InspectedJob | undefined> {
    const [row] = await run(text(schema), [id, maxRelated])
    if (row === undefined) return undefined
    return {
        facts: JSON.parse(row[0] ?? "{}") as JobFacts,
        payload: row[1] ?? "null",
        result: row[2] ?? null,
        required: JSON.parse(row[3] ?? "[]") as RelatedJob[],
        dependents: JSON.parse(row[4] ?? "[]") as RelatedJob[],
        progress: row[5] ?? null,
        numLogs: Number(row[6]),
    }
}
