import { numberOrNull } from "../db/cell.ts"
import { numberList } from "../db/encode.ts"
import { statementText } from "../db/identifier.ts"
import { hasNoPausedKey } from "./paused-keys.ts"
import { pausedDefinitions } from "./pauses.ts"
import { CURSOR, cursorObject, type LaneKey } from "./priorities.ts"
import { hasID, PREPARED_WHILE_QUICK, type Query } from "./query.ts"

/** A job that is ours to run, until its lease lapses. */
export interface ClaimedJob {
    id: number
    token: number
    attempt: number
    /** How often the job may be attempted again after the first run. */
    numAttempts: number
    definitionID: number
    priority: number
    position: number
    leaseID: number
    hasDependents: boolean
    /** Milliseconds left, when it was claimed, until the job times out. */
    timeoutMs: number
    /** When the job was due first, in milliseconds since 1970. */
    dueAtMs: number
    /** Milliseconds from when it was due, for this attempt, to the claim; tenths, since long texts take long to read. */
    waitMs: number
    /** The payload as JSON text. */
    payload: string
    /** Milliseconds that an attempt may take, where the job has a limit of its own; infinite for none at all. */
    attemptTimeoutMs: number | null
}

/** The ready jobs of one definition that have one priority, and where among them the claim starts. */
export interface Lane extends LaneKey {
    leaseID: number
    /** Positions up to this one are skipped: they were claimed before. */
    cursor: number
}

/** What a claim returns of each job, in the order that `toClaimedJob` reads. Instants have the digits that a Date keeps. */
export const CLAIMED_COLUMNS = /* sql */ `job.id, job.token, job.attempt, job.definition_id, job.position,
    job.lease_id, job.has_dependents, date_part('epoch', job.expires_at - clock_timestamp()) * 1000::double precision,
    job.num_attempts, job.payload, job.priority,
    floor(date_part('epoch', coalesce(job.first_due_at, job.due_at)) * 1000::double precision), job.attempt_timeout_ms,
    floor(date_part('epoch', job.claimed_at - job.due_at) * 10000::double precision) / 10::double precision`

/** What a claim changes of each job. */
export const CLAIM_ASSIGNMENTS = /* sql */ `state = 'running', token = job.token + 1, attempt = job.attempt + 1`

/**
 * Pulls jobs from the lanes of the definitions given, the smallest priority first, until it has enough: an index range
 * per lane and nothing else, whatever stands delayed, blocked or unknown. Which lanes there are beside those of priority
 * zero, it reads in its own snapshot, where a job never stands without its lane. Before it goes on to a larger priority it
 * looks behind the cursors for what was committed late. The head of a lane is looked up before it is locked, since that
 * takes the index only, and most lanes are empty. The sub-select is materialized because it locks; a re-run of it would
 * claim more than \`limit\`. Nothing is claimed under a lease that was revoked before the statement began, and may
 * be gone: nobody would ever take such a job back. Nor is anything claimed whose pause was committed before that, that of
 * its definition or, where jobs have keys of which the worker knows nothing, that of a key.
 */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: claim-jobs
with other as materialized (
    select definition_id, priority from ${schema}.job_priority where definition_id = any($1::bigint[])
), asked as materialized (
    select asked.*
    from rows from (pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::bigint[]), pg_catalog.unnest($3::bigint[]))
        with ordinality as asked(definition_id, lease_id, after, turn)
    where lease_id = any(array(
        select lease.id from ${schema}.lease where lease.id = any($2::bigint[]) and lease.revoked_by is null
    )) and definition_id <> all(${pausedDefinitions(schema)})
), lane as materialized (
    select definition_id, 0 as priority, lease_id, after, turn from asked
    union all
    select other.definition_id, other.priority, asked.lease_id, ${CURSOR}, asked.turn
    from other
    join asked on asked.definition_id = other.definition_id
), stretch as (
    select definition_id, priority, lease_id, after, 9223372036854775807 as until, false as is_late, turn from lane
    union all
    select definition_id, priority, lease_id, $5::bigint, after, true, turn from lane
    where after > $5::bigint and priority < (select max(priority) from lane)
), picked as materialized (
    select job.id, stretch.lease_id
    from (select * from stretch order by priority, is_late, turn) as stretch
    cross join lateral (
        select job.position from ${schema}.job
        where job.definition_id = stretch.definition_id and job.priority = stretch.priority
            and job.state = 'ready' and job.position > stretch.after and job.position <= stretch.until
        order by job.position
        limit 1
    ) as head
    cross join lateral (
        select job.id from ${schema}.job
        where job.definition_id = stretch.definition_id and job.priority = stretch.priority
            and job.state = 'ready' and job.position >= head.position and job.position <= stretch.until
            and ${hasNoPausedKey(schema)}
        order by job.position
        limit $6::integer
        for update of job skip locked
    ) as job
    limit $6::integer
)
update ${schema}.job
set ${CLAIM_ASSIGNMENTS}, lease_id = picked.lease_id, claimed_at = clock_timestamp(),
    is_counted = job.lane is not null
from picked
where ${hasID("picked.id")}
returning ${CLAIMED_COLUMNS}`,
)

/** What a claim asks for. */
export interface ClaimRequest {
    /** That of priority zero for each definition, in the order of their turns, and others that were claimed from before. */
    lanes: readonly Lane[]
    /** Up to this position, nothing is committed late any more. */
    settledPosition?: number
    limit: number
}

/** Claims up to `limit` jobs, smaller priorities first, and earlier definitions first where they are equal. */
export async function claimJobs(request: Query & ClaimRequest): Promise<ClaimedJob[]> {
    const { run, schema, lanes, settledPosition = 0, limit } = request
    const asked = lanes.filter(({ priority }) => priority === 0)
    const values = [
        numberList(asked.map((lane) => lane.definitionID)),
        numberList(asked.map((lane) => lane.leaseID)),
        numberList(asked.map((lane) => lane.cursor)),
        cursorObject(lanes.filter(({ priority }) => priority !== 0)),
        settledPosition,
        limit,
    ]
    const rows = await run(text(schema), values, PREPARED_WHILE_QUICK)
    // The update returns rows in no promised order.
    return rows.map(toClaimedJob).sort(byTurn)
}

/** Jobs start by priority, and where that is equal, oldest first. */
export function byTurn(a: ClaimedJob, b: ClaimedJob): number {
    return a.priority - b.priority || a.position - b.position
}

export function toClaimedJob(row: readonly (string | null)[]): ClaimedJob {
    return {
        id: Number(row[0]),
        token: Number(row[1]),
        attempt: Number(row[2]),
        definitionID: Number(row[3]),
        position: Number(row[4]),
        leaseID: Number(row[5]),
        hasDependents: row[6] === "t",
        timeoutMs: Number(row[7]),
        numAttempts: Number(row[8]),
        payload: String(row[9]),
        priority: Number(row[10]),
        dueAtMs: Number(row[11]),
        attemptTimeoutMs: numberOrNull(row[12]),
        waitMs: Number(row[13]),
    }
}
