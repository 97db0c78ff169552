import { numberList } from "../db/encode.ts"
import { statementText } from "../db/identifier.ts"
import type { RelatedJob } from "./inspect-job.ts"
import type { Query } from "./query.ts"

/** Jobs, what is between them, and whether there may be more. */
export interface FoundGraph {
    nodes: RelatedJob[]
    edges: { from: number; to: number }[]
    isWhole: boolean
}

const EDGE = /* sql */ `pg_catalog.jsonb_build_object('from', edge.required_id, 'to', edge.dependent_id)`

// The search goes no further than it is read, which is to the limit: of a job that a million others wait for, it reads as many
// as are told. Edges are looked for from both ends, of each job up to the limit, for the same reason.
const graphText = statementText(
    (schema) => /* sql */ `-- cuckmq: job-graph
with recursive reached (id) as (
    select $1::bigint
    union
    select neighbour.id
    from reached
    cross join lateral (
        (
            select required_id as id
            from ${schema}.job_dependency
            where dependent_id = reached.id
            order by required_id
            limit $2::integer
        )
        union all
        (
            select dependent_id
            from ${schema}.job_dependency
            where required_id = reached.id
            order by dependent_id
            limit $2::integer
        )
    ) as neighbour
), found as materialized (
    select id from reached limit $2::integer + 1
), node as materialized (
    select id from found limit $2::integer
), edge as (
    select near.required_id, near.dependent_id
    from node
    cross join lateral (
        select required_id, dependent_id
        from ${schema}.job_dependency
        where dependent_id = node.id
        order by required_id
        limit $2::integer
    ) as near
    where near.required_id in (select id from node)
    union
    select near.required_id, near.dependent_id
    from node
    cross join lateral (
        select required_id, dependent_id
        from ${schema}.job_dependency
        where required_id = node.id
        order by dependent_id
        limit $2::integer
    ) as near
    where near.dependent_id in (select id from node)
)
select
    (select count(*) from found)::text,
    (
        select pg_catalog.jsonb_agg(${EDGE} order by edge.required_id, edge.dependent_id)
        from edge
    )::text,
    (select pg_catalog.array_agg(id order by id) from node)::text`,
)

/** Finds the jobs that hang together with one by what waits for what, the nearest of them first, up to `max`. */
export async function findGraph({
    run,
    schema,
    id,
    max,
}: Query & { id: number; max: number }): Promise<FoundGraph> {
    const [row] = await run(graphText(schema), [id, max])
    const ids = (row?.[2] ?? "").replace(/[{}]/g, "").split(",").filter(Boolean).map(Number)
    return {
        nodes: await findReferences({ run, schema, ids }),
        edges: JSON.parse(row?.[1] ?? "[]") as FoundGraph["edges"],
        isWhole: Number(row?.[0] ?? 0) <= max,
    }
}

const referencesText = statementText(
    (schema) => /* sql */ `-- cuckmq: job-references
select known.id::text, definition.name, known.state
from (
    select job.id, job.definition_id, job.state::text as state
    from pg_catalog.unnest($1::bigint[]) as wanted(id)
    join ${schema}.job on job.id = wanted.id
    union all
    select job_history.id, job_history.definition_id, job_history.outcome::text
    from pg_catalog.unnest($1::bigint[]) as wanted(id)
    join ${schema}.job_history on job_history.id = wanted.id
) as known
left join ${schema}.job_definition as definition on definition.id = known.definition_id
order by known.id`,
)

/** Which jobs some ids are of, live or finalized. Those that are not there are left out. */
export async function findReferences({
    run,
    schema,
    ids,
}: Query & { ids: readonly number[] }): Promise<RelatedJob[]> {
    const rows = await run(referencesText(schema), [numberList(ids)])
    return rows.map(([id, definition, state]) => ({
        id: Number(id),
        definition: definition ?? null,
        state: state ?? "",
    }))
}
