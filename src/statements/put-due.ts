import { numberList } from "../db/encode.ts"
import { jobSequence, type QuotedSchema, statementText } from "../db/identifier.ts"
import { hasID, type Query } from "./query.ts"

/** A job that was given another due time. */
export interface DueJob {
    id: number
    channel: string
    /** Or it is due later. */
    isReady: boolean
}

/**
 * The rows are locked first, in the order of their ids, and read then: a claim that was under way is over by then, and the
 * job runs, or the claim comes after us and passes over a job that is not due any more.
 *
 * What a worker had once was due first when it was; to a job that none has had, the new time is the first.
 */
function dueText(params: { schema: QuotedSchema; name: string; states: string; changes: string }): string {
    const { schema, name, states, changes } = params
    return /* sql */ `-- cuckmq: ${name}
with target as materialized (
    select job.id
    from pg_catalog.unnest($1::bigint[]) as wanted(id)
    join ${schema}.job on ${hasID("wanted.id")}
    where coalesce(job.state::text = any(string_to_array(${states}, ',')), false)
    order by wanted.id
    for update of job
), changed as (
    update ${schema}.job
    set first_due_at = case when job.token > 0 then coalesce(job.first_due_at, job.due_at) else job.first_due_at end,
        ${changes}
    from target, ${schema}.job_definition as definition
    where ${hasID("target.id")} and definition.id = job.definition_id
    returning job.id, job.state, definition.channel
)
select id, state, channel from changed`
}

/**
 * A job that waits for another attempt goes on with the time that it has; one that was never taken has its whole time from
 * now on, as if it had been deferred without a delay.
 */
const nowText = statementText((schema) =>
    dueText({
        schema,
        name: "run-jobs-now",
        states: /* sql */ `'delayed'`,
        changes: /* sql */ `state = 'ready', position = nextval(${jobSequence(schema)}), due_at = clock_timestamp(),
        expires_at = case
            when job.token > 0 then job.expires_at
            else clock_timestamp()
                + coalesce(job.timeout_interval_ms, definition.timeout_interval_ms) * interval '1 ms'
        end`,
    }),
)

/** Makes those of the jobs due that are delayed. */
export async function runJobsNow({
    run,
    schema,
    ids,
}: Query & { ids: readonly number[] }): Promise<DueJob[]> {
    return (await run(nowText(schema), [numberList(ids)])).map(toDueJob)
}

/** A job that stays ready keeps its place; one that becomes ready gets a new one, which claims have not passed yet. */
const timeText = statementText((schema) =>
    dueText({
        schema,
        name: "set-due-time",
        states: /* sql */ `'ready,delayed'`,
        changes: /* sql */ `due_at = to_timestamp($2::double precision / 1000::double precision),
        expires_at = greatest(to_timestamp($2::double precision / 1000::double precision), clock_timestamp())
            + coalesce(job.timeout_interval_ms, definition.timeout_interval_ms) * interval '1 ms',
        position = case when job.state = 'ready' then job.position else nextval(${jobSequence(schema)}) end,
        state = case
            when to_timestamp($2::double precision / 1000::double precision) > clock_timestamp() then 'delayed'
            else 'ready'
        end::${schema}.job_state`,
    }),
)

/** Gives those of the jobs another due time that are ready or delayed. */
export async function setDueTime({
    run,
    schema,
    ids,
    dueAtMs,
}: Query & { ids: readonly number[]; dueAtMs: number }): Promise<DueJob[]> {
    return (await run(timeText(schema), [numberList(ids), dueAtMs])).map(toDueJob)
}

function toDueJob(row: readonly (string | null)[]): DueJob {
    return { id: Number(row[0]), isReady: row[1] === "ready", channel: row[2] ?? "" }
}
