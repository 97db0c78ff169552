import { numberOrNull } from "../db/cell.ts"
import { numberList } from "../db/encode.ts"
import { statementText } from "../db/identifier.ts"
import type { Lane } from "./claim-jobs.ts"
import { hasPausedKey } from "./paused-keys.ts"
import { pausedDefinitions } from "./pauses.ts"
import { CURSOR, cursorObject } from "./priorities.ts"
import { hasReadyJob, PREPARED_WHILE_QUICK, type Query } from "./query.ts"

/** What an idle worker learns with one look. */
export interface Outlook {
    /** A job stands ready in one of the lanes. */
    hasReady: boolean
    /** Milliseconds until the next delayed job is due; zero or less when one is due. Null when there is none. */
    nextDueMs: number | null
    /** Milliseconds until a rate-limited definition with ready jobs may release one. Null when there is none. */
    nextReleaseMs: number | null
    /** A lease has lapsed, or a revoked one still has jobs. */
    hasLapsedLease: boolean
    /** A job waits to be finalized as failed. */
    hasDoomed: boolean
    /** A job of the channel stands ready whose definition no daemon vouches for. */
    hasOrphan: boolean
    /** The definitions that are paused, whose ready jobs count for nothing above. */
    pausedIDs: number[]
    /** A key of a definition is paused. */
    hasPausedKeys: boolean
}

const text = statementText(
    (schema) => /* sql */ `-- cuckmq: look-around
with paused as materialized (
    select ${pausedDefinitions(schema)} as ids
)
select
    exists (
        select from (
            select asked.definition_id, 0 as priority, asked.after
            from rows from (pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::bigint[])) as asked(definition_id, after)
            union all
            select other.definition_id, other.priority, ${CURSOR}
            from ${schema}.job_priority as other where other.definition_id = any($1::bigint[])
        ) as lane
        cross join lateral (
            select from ${schema}.job
            where job.definition_id = lane.definition_id and job.priority = lane.priority
                and job.state = 'ready' and job.position > lane.after
            order by job.position
            limit 1
        ) as head
        where lane.definition_id <> all((select ids from paused)::bigint[])
    ),
    (
        select date_part('epoch', min(due_at) - clock_timestamp()) * 1000::double precision from ${schema}.job where state = 'delayed'
    ),
    (
        select date_part('epoch', greatest(min(definition.next_release_at), clock_timestamp()) - clock_timestamp()) * 1000::double precision
        from ${schema}.job_definition as definition
        where definition.id = any($3::bigint[]) and definition.id <> all((select ids from paused)::bigint[])
            and ${hasReadyJob(schema, "definition.id")}
    ),
    exists (
        select from ${schema}.lease
        where (revoked_by is null and expires_at < clock_timestamp())
            or (revoked_by is not null
                and exists (select from ${schema}.job where job.state = 'running' and job.lease_id = lease.id))
    ),
    exists (select from ${schema}.job where state in ('unmet', 'exhausted')),
    exists (
        select from ${schema}.job_definition as definition
        where definition.channel = $5 and definition.id <> all($6::bigint[])
            and definition.id <> all((select ids from paused)::bigint[]) and not ${hasPausedKey(schema)}
            and definition.heartbeat_at < clock_timestamp() - $7::double precision * interval '1 ms'
            and ${hasReadyJob(schema, "definition.id")}
    ),
    (select ids::text from paused),
    exists (select from ${schema}.paused_key)`,
)

/** Reads, and only reads, what there is to do. */
export async function lookAround({
    run,
    schema,
    lanes,
    limitedIDs,
    channel,
    knownIDs,
    orphanGraceMs,
}: Query & {
    lanes: readonly Lane[]
    limitedIDs: readonly number[]
    channel: string
    knownIDs: readonly number[]
    orphanGraceMs: number
}): Promise<Outlook> {
    const asked = lanes.filter(({ priority }) => priority === 0)
    const values = [
        numberList(asked.map((lane) => lane.definitionID)),
        numberList(asked.map((lane) => lane.cursor)),
        numberList(limitedIDs),
        cursorObject(lanes.filter(({ priority }) => priority !== 0)),
        channel,
        numberList(knownIDs),
        orphanGraceMs,
    ]
    const [row] = await run(text(schema), values, PREPARED_WHILE_QUICK)
    return {
        hasReady: row?.[0] === "t",
        nextDueMs: numberOrNull(row?.[1]),
        nextReleaseMs: numberOrNull(row?.[2]),
        hasLapsedLease: row?.[3] === "t",
        hasDoomed: row?.[4] === "t",
        hasOrphan: row?.[5] === "t",
        pausedIDs: (row?.[6]?.match(/\d+/g) ?? []).map(Number),
        hasPausedKeys: row?.[7] === "t",
    }
}
