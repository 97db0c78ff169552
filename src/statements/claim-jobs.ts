import { numberList } from "../db/encode.ts"
import { statementText } from "../db/identifier.ts"
import { pausedDefinitions } from "./pauses.ts"
import { hasID, PREPARED_WHILE_QUICK, type Query } from "./query.ts"

/** A job that is ours to run, until its lease lapses. */
export interface ClaimedJob {
    id: number
    token: number
    attempt: number
    /** How often the job may be attempted again after the first run. */
    numAttempts: number
    definitionID: number
    position: number
    leaseID: number
    hasDependents: boolean
    /** Milliseconds left, when it was claimed, until the job times out. */
    timeoutMs: number
    /** The payload as JSON text. */
    payload: string
}

/** The jobs of one definition at one priority, and where among them the claim starts. */
export interface Lane {
    definitionID: number
    priority: number
    leaseID: number
    /** Positions up to this one are skipped: they were claimed before. */
    cursor: number
}

/** What a claim returns of each job, in the order that `toClaimedJob` reads. */
export const CLAIMED_COLUMNS = /* sql */ `job.id, job.token, job.attempt, job.definition_id, job.position,
    job.lease_id, job.has_dependents, date_part('epoch', job.expires_at - clock_timestamp()) * 1000::double precision,
    job.num_attempts, job.payload`

/** What a claim changes of each job. */
export const CLAIM_ASSIGNMENTS = /* sql */ `state = 'running', token = job.token + 1, attempt = job.attempt + 1`

/**
 * Looks up the head of each lane, takes the best priority among the heads, and pulls jobs from the lanes at that
 * priority in the order given: an index range per lane and nothing else, whatever stands delayed, blocked or
 * unknown. The sub-select is materialized because it locks; a re-run of it would claim more than \`limit\`.
 * Nothing is claimed under a lease that was revoked before the statement began, and may be gone: nobody would ever
 * take such a job back. Nor is anything claimed of a definition whose pause was committed before that.
 */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: claim-jobs
with lane as materialized (
    select lane.*
    from rows from (pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::integer[]), pg_catalog.unnest($3::bigint[]), pg_catalog.unnest($4::bigint[]))
        with ordinality as lane(definition_id, priority, lease_id, after, turn)
    cross join lateral (
        select from ${schema}.job
        where job.definition_id = lane.definition_id and job.priority = lane.priority
            and job.state = 'ready' and job.position > lane.after
        order by job.position
        limit 1
    ) as head
    where exists (select from ${schema}.lease where lease.id = lane.lease_id and lease.revoked_by is null)
        and lane.definition_id <> all(${pausedDefinitions(schema)})
), picked as materialized (
    select job.id, best.lease_id
    from (select * from lane where priority = (select min(priority) from lane) order by turn) as best
    cross join lateral (
        select job.id from ${schema}.job
        where job.definition_id = best.definition_id and job.priority = best.priority
            and job.state = 'ready' and job.position > best.after
        order by job.position
        limit $5::integer
        for update of job skip locked
    ) as job
    limit $5::integer
)
update ${schema}.job
set ${CLAIM_ASSIGNMENTS}, lease_id = picked.lease_id, claimed_at = clock_timestamp()
from picked
where ${hasID("picked.id")}
returning ${CLAIMED_COLUMNS}`,
)

/** Claims up to `limit` jobs of the lanes, earlier lanes first where priorities are equal. */
export async function claimJobs({
    run,
    schema,
    lanes,
    limit,
}: Query & { lanes: readonly Lane[]; limit: number }): Promise<ClaimedJob[]> {
    const values = [
        numberList(lanes.map((lane) => lane.definitionID)),
        numberList(lanes.map((lane) => lane.priority)),
        numberList(lanes.map((lane) => lane.leaseID)),
        numberList(lanes.map((lane) => lane.cursor)),
        limit,
    ]
    const rows = await run(text(schema), values, PREPARED_WHILE_QUICK)
    // The update returns rows in no promised order; within a definition they start oldest first.
    return rows.map(toClaimedJob).sort((a, b) => a.position - b.position)
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
    }
}
