import { numberList } from "../db/encode.ts"
import { jobSequence, statementText } from "../db/identifier.ts"
import { hasID, type Query } from "./query.ts"

/** A lane: the ready jobs of one definition that have one priority. */
export interface LaneKey {
    definitionID: number
    priority: number
}

/**
 * What a claim knows of a lane that it finds in the table: `$4` is an object of cursors by lane, so that each is looked up
 * by its key, whatever the planner believes of their number.
 */
export const CURSOR = /* sql */ `coalesce(
    ($4::jsonb ->> (other.definition_id::text || ' '::text || other.priority::text))::bigint, 0)`

/** Cursors as the object that `CURSOR` looks into. */
export function cursorObject(lanes: readonly (LaneKey & { cursor: number })[]): string {
    const entries = lanes.map((lane) => [`${lane.definitionID} ${lane.priority}`, lane.cursor])
    return JSON.stringify(Object.fromEntries(entries))
}

/**
 * Writes lanes down for good, before the first job stands in one: a claim that sees the job sees its lane then, too. In
 * the order of their keys, so that two such statements never wait for each other in a circle.
 */
const registerText = statementText(
    (schema) => /* sql */ `-- cuckmq: register-priorities
insert into ${schema}.job_priority (definition_id, priority)
select distinct asked.definition_id, asked.priority
from rows from (pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::integer[])) as asked(definition_id, priority)
join ${schema}.job_definition as definition on definition.id = asked.definition_id
where asked.priority <> 0 and not exists (
    select from ${schema}.job_priority as known
    where known.definition_id = asked.definition_id and known.priority = asked.priority
)
order by asked.definition_id, asked.priority
on conflict do nothing`,
)

/** Makes sure that claims know of the lanes given. */
export async function registerPriorities({
    run,
    schema,
    lanes,
}: Query & { lanes: readonly LaneKey[] }): Promise<void> {
    await run(registerText(schema), [
        numberList(lanes.map((lane) => lane.definitionID)),
        numberList(lanes.map((lane) => lane.priority)),
    ])
}

/**
 * Moves a job to another lane, with a new position there, so that claims that are past the old one see it. A claim that
 * holds the job locked is waited for, and then the row is read again: of a running job the priority alone is of
 * consequence, and only once it is attempted again. Changes nothing where the lane is not written down.
 */
const changeText = statementText(
    (schema) => /* sql */ `-- cuckmq: change-priority
with target as materialized (
    select job.id, job.definition_id, job.priority, job.state from ${schema}.job
    where job.id = $1::bigint
    for update
), lane as materialized (
    select target.definition_id, target.state, target.priority = $2::integer as is_same,
        $2::integer = 0 or exists (
            select from ${schema}.job_priority
            where job_priority.definition_id = target.definition_id and job_priority.priority = $2::integer
        ) as is_known
    from target
), changed as (
    update ${schema}.job
    set priority = $2::integer, position = nextval(${jobSequence(schema)})
    from lane
    where job.id = $1::bigint and lane.is_known and not lane.is_same
)
select lane.definition_id::text, definition.channel, lane.is_known, lane.state = 'ready' and not lane.is_same
from lane
join ${schema}.job_definition as definition on definition.id = lane.definition_id`,
)

/** What became of a job whose priority was to change. */
export interface PriorityChange {
    definitionID: number
    channel: string
    /** Nothing was changed, for the job's new lane is not written down. */
    isLaneMissing: boolean
    /** The job stands ready in another lane than before. */
    isReadyAnew: boolean
}

/** Changes the priority of a live job. Returns undefined when there is none of that id. */
export async function changePriority({
    run,
    schema,
    jobID,
    priority,
}: Query & { jobID: number; priority: number }): Promise<PriorityChange | undefined> {
    const [row] = await run(changeText(schema), [jobID, priority])
    if (row === undefined) return undefined
    return {
        definitionID: Number(row[0]),
        channel: String(row[1]),
        isLaneMissing: row[2] !== "t",
        isReadyAnew: row[3] === "t",
    }
}

const registerOfText = statementText(
    (schema) => /* sql */ `-- cuckmq: register-priority-of-jobs
insert into ${schema}.job_priority (definition_id, priority)
select distinct job.definition_id, $2::integer
from pg_catalog.unnest($1::bigint[]) as wanted(id)
join ${schema}.job on ${hasID("wanted.id")}
where $2::integer <> 0 and not exists (
    select from ${schema}.job_priority as known
    where known.definition_id = job.definition_id and known.priority = $2::integer
)
order by job.definition_id
on conflict do nothing`,
)

/** Makes sure that claims know of the lanes that jobs come to with a priority. By itself, while no job is locked. */
export async function registerPriorityOf({
    run,
    schema,
    ids,
    priority,
}: Query & { ids: readonly number[]; priority: number }): Promise<void> {
    await run(registerOfText(schema), [numberList(ids), priority])
}

/**
 * The same for many jobs, which are locked in the order of their ids. Those are left whose new lane is not written down:
 * they came to their ids, by a replay, after it was.
 */
const setText = statementText(
    (schema) => /* sql */ `-- cuckmq: set-priorities
with target as materialized (
    select job.id, job.priority, job.state, job.definition_id
    from pg_catalog.unnest($1::bigint[]) as wanted(id)
    join ${schema}.job on ${hasID("wanted.id")}
    order by wanted.id
    for update of job
), known as materialized (
    select target.id, target.priority = $2::integer as is_same, target.state, definition.channel
    from target
    join ${schema}.job_definition as definition on definition.id = target.definition_id
    where $2::integer = 0 or exists (
        select from ${schema}.job_priority
        where job_priority.definition_id = target.definition_id and job_priority.priority = $2::integer
    )
), changed as (
    update ${schema}.job
    set priority = $2::integer, position = nextval(${jobSequence(schema)})
    from known
    where ${hasID("known.id")} and not known.is_same
)
select id, channel, state = 'ready' and not is_same from known`,
)

/** A job that has the priority that it was to get. */
export interface PrioritizedJob {
    id: number
    channel: string
    /** It stands ready in another lane than before. */
    isReadyAnew: boolean
}

/** Gives live jobs a priority, of which `registerPriorityOf` was told before. */
export async function setPriorities({
    run,
    schema,
    ids,
    priority,
}: Query & { ids: readonly number[]; priority: number }): Promise<PrioritizedJob[]> {
    const rows = await run(setText(schema), [numberList(ids), priority])
    return rows.map((row) => ({ id: Number(row[0]), channel: row[1] ?? "", isReadyAnew: row[2] === "t" }))
}
