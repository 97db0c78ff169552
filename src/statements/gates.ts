import { jsonList, numberList } from "../db/encode.ts"
import { statementText } from "../db/identifier.ts"
import { hasID, type Query } from "./query.ts"

/** How many claims of a definition can be under way beside each other, at the most. A power of two. */
export const NUM_GATE_SLOTS = 64

/** It looks first, since a conflict with a row that a claim has raised would wait for the claim. */
const ensureText = statementText(
    (schema) => /* sql */ `-- cuckmq: ensure-gates
insert into ${schema}.gate (definition_id, slot)
select wanted.definition_id, wanted.slot
from (
    select definition_id, slot
    from pg_catalog.unnest($1::bigint[]) as definition_id
    cross join generate_series(0, ${NUM_GATE_SLOTS - 1}) as slot
) as wanted
where not exists (
    select from ${schema}.gate where gate.definition_id = wanted.definition_id and gate.slot = wanted.slot
)
order by definition_id, slot
on conflict do nothing`,
)

/** Makes the slots of gated definitions, where they are not there yet. */
export async function ensureGates({
    run,
    schema,
    definitionIDs,
}: Query & { definitionIDs: readonly number[] }): Promise<void> {
    await run(ensureText(schema), [numberList([...definitionIDs].sort((a, b) => a - b))])
}

/** A ready job of a gated definition that is in no lane, and where it stands among the ready jobs. */
export interface StrayJob {
    id: number
    payload: string
}

/** Where a look for stray jobs has come to. */
export interface StrayCursor {
    priority: number
    position: number
}

/** A look at one piece of a definition's ready jobs. */
const strayText = statementText(
    (schema) => /* sql */ `-- cuckmq: select-stray-jobs
with chunk as materialized (
    select id, priority, position, case when lane is null then payload end as payload
    from ${schema}.job
    where definition_id = $1::bigint and state = 'ready'
        and (priority, position) > ($2::integer, $3::bigint)
    order by priority, position
    limit $4::integer
), last as (
    select priority, position from chunk order by priority desc, position desc limit 1
)
select chunk.id, chunk.payload, last.priority, last.position, (select count(*) from chunk)
from last
left join chunk on chunk.payload is not null`,
)

/**
 * Looks through the next of a definition's ready jobs for those that are in no lane: deferred by a process that did not
 * know of the definition's limits. Returns where to go on, or undefined at the end.
 */
export async function selectStrayJobs({
    run,
    schema,
    definitionID,
    after,
    limit,
}: Query & { definitionID: number; after: StrayCursor; limit: number }): Promise<{
    jobs: StrayJob[]
    next: StrayCursor | undefined
}> {
    const rows = await run(strayText(schema), [definitionID, after.priority, after.position, limit])
    const [first] = rows
    const isEnd = first === undefined || Number(first[4]) < limit
    return {
        jobs: rows
            .filter((row) => row[0] !== null && row[1] !== null)
            .map((row) => ({ id: Number(row[0]), payload: String(row[1]) })),
        next: isEnd ? undefined : { priority: Number(first[2]), position: Number(first[3]) },
    }
}

/** Skips what is locked, or no longer ready: whoever has it may have put it into a lane as well. */
const laneText = statementText(
    (schema) => /* sql */ `-- cuckmq: put-into-lanes
with free as materialized (
    select job.id, stray.lane
    from rows from (pg_catalog.unnest($1::bigint[]), pg_catalog.unnest(string_to_array($2, chr(30), ''))) as stray(id, lane)
    join ${schema}.job on ${hasID("stray.id")}
    where job.state = 'ready' and job.lane is null
    for update of job skip locked
)
update ${schema}.job set lane = free.lane
from free
where ${hasID("free.id")}`,
)

/** Puts ready jobs into lanes. */
export async function putIntoLanes({
    run,
    schema,
    jobs,
}: Query & { jobs: readonly { id: number; lane: string }[] }): Promise<void> {
    await run(laneText(schema), [
        numberList(jobs.map((job) => job.id)),
        jsonList(jobs.map((job) => job.lane)),
    ])
}
