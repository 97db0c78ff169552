import { jsonList, numberList } from "../db/encode.ts"
import { statementText } from "../db/identifier.ts"
import type { Placing } from "../gate.ts"
import { hasID, IS_READY, type Query } from "./query.ts"

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

/** A ready job of a gated definition that is in no lane. */
export interface StrayJob {
    id: number
    payload: string
}

/** Where among the ready jobs of a definition a look for stray ones has come to. */
export interface StrayCursor {
    definitionID: number
    priority: number
    position: number
}

/** The next piece of the ready jobs of each definition. */
const strayText = statementText(
    (schema) => /* sql */ `-- cuckmq: select-stray-jobs
with chunk as materialized (
    select asked.definition_id, job.*
    from rows from (pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::integer[]), pg_catalog.unnest($3::bigint[]))
        as asked(definition_id, priority, position)
    cross join lateral (
        select id, priority, position, case when lane is null then payload end as payload
        from ${schema}.job
        where job.definition_id = asked.definition_id and job.state = 'ready'
            and (job.priority, job.position) > (asked.priority, asked.position)
        order by job.priority, job.position
        limit $4::integer
    ) as job
), last as (
    select distinct on (definition_id)
        definition_id, priority, position, count(*) over (partition by definition_id) as num
    from chunk
    order by definition_id, priority desc, position desc
)
select last.definition_id, last.priority, last.position, last.num, chunk.id, chunk.payload
from last
left join chunk on chunk.definition_id = last.definition_id and chunk.payload is not null`,
)

/**
 * Looks through the next ready jobs of definitions, up to `limit` of each, for those that are in no lane. Returns, of
 * each definition that has ready jobs there, those that it found, and where to go on unless it has come to the end.
 */
export async function selectStrayJobs({
    run,
    schema,
    after,
    limit,
}: Query & { after: readonly StrayCursor[]; limit: number }): Promise<
    Map<number, { jobs: StrayJob[]; next: StrayCursor | undefined }>
> {
    const rows = await run(strayText(schema), [
        numberList(after.map((cursor) => cursor.definitionID)),
        numberList(after.map((cursor) => cursor.priority)),
        numberList(after.map((cursor) => cursor.position)),
        limit,
    ])
    const found = new Map<number, { jobs: StrayJob[]; next: StrayCursor | undefined }>()
    for (const [definition, priority, position, num, id = null, payload = null] of rows) {
        const definitionID = Number(definition)
        const isEnd = Number(num) < limit
        const next = isEnd
            ? undefined
            : { definitionID, priority: Number(priority), position: Number(position) }
        const jobs: StrayJob[] = found.get(definitionID)?.jobs ?? []
        if (id !== null && payload !== null) jobs.push({ id: Number(id), payload })
        found.set(definitionID, { jobs, next })
    }
    return found
}

/** Skips what is locked, or no longer ready: whoever has it may have put it into a lane as well. */
const laneText = statementText(
    (schema) => /* sql */ `-- cuckmq: put-into-lanes
with free as materialized (
    select job.id, stray.lane, stray.weight
    from rows from (pg_catalog.unnest($1::bigint[]), pg_catalog.unnest(string_to_array($2, chr(30), '')), pg_catalog.unnest($3::integer[])) as stray(id, lane, weight)
    join ${schema}.job on ${hasID("stray.id")}
    where ${IS_READY} and job.lane is null
    for update of job skip locked
)
update ${schema}.job set lane = free.lane, weight = free.weight
from free
where ${hasID("free.id")}`,
)

/** Puts ready jobs into lanes. */
export async function putIntoLanes({
    run,
    schema,
    jobs,
}: Query & { jobs: readonly ({ id: number } & Placing)[] }): Promise<void> {
    await run(laneText(schema), [
        numberList(jobs.map((job) => job.id)),
        jsonList(jobs.map((job) => job.lane)),
        numberList(jobs.map((job) => job.weight)),
    ])
}
