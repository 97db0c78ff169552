import { jsonList, numberList } from "../db/encode.ts"
import { jobSequence, type QuotedSchema, statementText } from "../db/identifier.ts"
import type { Placing } from "../gate.ts"
import type { Query } from "./query.ts"

/** What a job may have of its own; what is null its definition says. */
export interface JobLimits {
    numAttempts: number | null
    timeoutIntervalMs: number | null
    /** Infinite for none, whatever the definition says. */
    attemptTimeoutMs: number | null
}

/** A job to insert that is delayed, depends on others, waits in a lane, or has a priority or limits of its own. */
export interface TimedJob {
    definitionID: number
    payload: string
    /** Milliseconds from now, by the database's clock. */
    delayMs: number | null
    /** An instant in milliseconds since 1970; stands before `delayMs`. */
    runAtMs: number | null
    dependencies: readonly number[]
    /** Where it waits, if its definition is gated. */
    placing: Placing | null
    /** Null for that of the definition. */
    priority: number | null
    limits: JobLimits | null
}

/** What a statement that inserts such jobs is made of, where not all of them are alike. */
export interface InsertParts {
    name: string
    /** Queries that come first, each with a comma behind it. */
    first: string
    /** Which edges count. */
    edgeCondition: string
    /** The queries that lock the required jobs. */
    required: string
    /** What the queries name the jobs given; they end with `input`, those to insert. */
    items: string
    /** The queries between the two, each with a comma before it. */
    taking: string
    /** What the statement returns. */
    results: string
}

/**
 * Jobs with a delay, dependencies, or a priority or limits of their own, and those of gated definitions. Required jobs are
 * locked in the order of their ids and flagged, so that the statement that finalizes one of them either waits for us and
 * sees the flag, or is over before we look. One whose required job has failed starts as `unmet`. Inserts nothing where a
 * required job, a definition, or what claims must know of a priority is missing: no claim would find the job.
 *
 * One that runs is written although it is flagged: its job function may complete it in a transaction whose snapshot is
 * older than our edge, which fails then, rather than leave the edge.
 */
export function insertText(schema: QuotedSchema, parts: InsertParts): string {
    return /* sql */ `-- cuckmq: ${parts.name}
with ${parts.first}edge as materialized (
    select distinct item.turn, item.required_id
    from rows from (pg_catalog.unnest($5::bigint[]), pg_catalog.unnest($6::bigint[])) as item(turn, required_id)
    ${parts.edgeCondition}
), ${parts.required}, flagged as (
    update ${schema}.job set has_dependents = true
    from required
    where job.id = required.id and (not required.has_dependents or required.state = 'running')
), past as materialized (
    select id, outcome from ${schema}.job_history
    where id in (select required_id from edge) and id not in (select id from required)
), missing as materialized (
    select distinct required_id from edge
    where required_id not in (select id from required) and required_id not in (select id from past)
), ${parts.items} as materialized (
    select nextval(${jobSequence(schema)}) as id, item.*
    from rows from (
        pg_catalog.unnest(string_to_array($1, chr(30))), pg_catalog.unnest($2::bigint[]),
        pg_catalog.unnest($3::double precision[]), pg_catalog.unnest($4::double precision[]),
        pg_catalog.unnest(string_to_array($8, chr(30), '')), pg_catalog.unnest($9::integer[]),
        pg_catalog.unnest($10::integer[]), pg_catalog.unnest($11::integer[]),
        pg_catalog.unnest($12::double precision[]), pg_catalog.unnest($13::double precision[])
    ) with ordinality as item(
        payload, definition_id, delay_ms, run_at_ms, lane, weight, priority,
        num_attempts, timeout_interval_ms, attempt_timeout_ms, turn
    )
    where not exists (select from missing)
    and not exists (
        select from rows from (pg_catalog.unnest($2::bigint[]), pg_catalog.unnest($10::integer[])) as own(definition_id, priority)
        where own.priority <> 0 and not exists (
            select from ${schema}.job_priority
            where job_priority.definition_id = own.definition_id and job_priority.priority = own.priority
        )
    )
    and (
        select count(*) from ${schema}.job_definition where id = any($7::bigint[]) and retired_by is null
    ) = pg_catalog.cardinality($7::bigint[])
)${parts.taking}, blocking as materialized (
    select
        edge.turn, count(required.id) as num_blockers,
        coalesce(bool_or(past.outcome <> 'succeeded'), false) as is_unmet
    from edge
    left join required on required.id = edge.required_id
    left join past on past.id = edge.required_id
    group by edge.turn
), planned as materialized (
    select
        input.*,
        coalesce(
            to_timestamp(input.run_at_ms / 1000::double precision),
            statement_timestamp() + coalesce(input.delay_ms, 0) * interval '1 ms'
        ) as due_at,
        coalesce(blocking.num_blockers, 0) as num_blockers,
        coalesce(blocking.is_unmet, false) as is_unmet
    from input
    left join blocking on blocking.turn = input.turn
), inserted as (
    insert into ${schema}.job
        (id, position, definition_id, num_attempts, priority, num_blockers, state, created_at, due_at, expires_at,
        lane, weight, timeout_interval_ms, attempt_timeout_ms, payload)
    select
        planned.id, planned.id, definition.id, coalesce(planned.num_attempts, definition.num_attempts),
        coalesce(planned.priority, definition.priority), planned.num_blockers,
        case
            when planned.is_unmet then 'unmet'
            when planned.num_blockers > 0 then 'blocked'
            when planned.due_at > statement_timestamp() then 'delayed'
            else 'ready'
        end::${schema}.job_state,
        statement_timestamp(), planned.due_at,
        greatest(planned.due_at, statement_timestamp())
            + coalesce(planned.timeout_interval_ms, definition.timeout_interval_ms) * interval '1 ms',
        planned.lane, planned.weight, planned.timeout_interval_ms, planned.attempt_timeout_ms, planned.payload::json
    from planned
    join ${schema}.job_definition as definition on definition.id = planned.definition_id
), linked as (
    insert into ${schema}.job_dependency (required_id, dependent_id)
    select required.id, planned.id
    from planned
    join edge on edge.turn = planned.turn
    join required on required.id = edge.required_id
    where not planned.is_unmet
)
${parts.results}`
}

/** Locks the required jobs, and nothing else. */
export function requiredText(schema: QuotedSchema): string {
    return /* sql */ `required as materialized (
    select id, state, has_dependents from ${schema}.job
    where id in (select required_id from edge)
    order by id
    for update
)`
}

const text = statementText((schema) =>
    insertText(schema, {
        name: "insert-jobs",
        first: "",
        edgeCondition: "",
        required: requiredText(schema),
        items: "input",
        taking: "",
        results: /* sql */ `select id::text, null as missing_id from planned
union all
select null, required_id::text from missing`,
    }),
)

/** Returns the new ids in the order of `jobs`; none when a job to depend on, a definition or a lane was not found. */
export async function insertJobs({
    run,
    schema,
    jobs,
}: Query & { jobs: readonly TimedJob[] }): Promise<{ ids: number[]; missingIDs: number[] }> {
    const rows = await run(text(schema), insertValues(jobs))
    const inOrder = (cells: (string | null | undefined)[]) =>
        cells
            .filter((cell) => typeof cell === "string")
            .map(Number)
            .sort((a, b) => a - b)
    return { ids: inOrder(rows.map((row) => row[0])), missingIDs: inOrder(rows.map((row) => row[1])) }
}

/** What such a statement is sent about its jobs. */
export function insertValues(jobs: readonly TimedJob[]): unknown[] {
    const edges = jobs.flatMap((job, index) => job.dependencies.map((id) => ({ turn: index + 1, id })))
    const definitionIDs = jobs.map((job) => job.definitionID)
    return [
        jsonList(jobs.map((job) => job.payload)),
        numberList(definitionIDs),
        numberList(jobs.map((job) => job.delayMs)),
        numberList(jobs.map((job) => job.runAtMs)),
        numberList(edges.map((edge) => edge.turn)),
        numberList(edges.map((edge) => edge.id)),
        numberList([...new Set(definitionIDs)]),
        jsonList(jobs.map((job) => job.placing?.lane ?? null)),
        numberList(jobs.map((job) => job.placing?.weight ?? 1)),
        numberList(jobs.map((job) => job.priority)),
        numberList(jobs.map(({ limits }) => limits?.numAttempts ?? null)),
        numberList(jobs.map(({ limits }) => limits?.timeoutIntervalMs ?? null)),
        numberList(jobs.map(({ limits }) => limits?.attemptTimeoutMs ?? null)),
    ]
}
