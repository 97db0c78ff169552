import { numberList } from "../db/encode.ts"
import { statementText } from "../db/identifier.ts"
import { rateKey } from "./gate-rules.ts"
import {
    byID,
    type ClaimKey,
    IS_CANCELLED,
    IS_IMPATIENT,
    isClaimedAs,
    type LetGo,
    type Query,
    toLetGo,
} from "./query.ts"

/** A run that was told to come again later, as all jobs are that count under its rate. */
export interface Hold extends ClaimKey {
    delayMs: number
    /** Whether its key is held, or its whole definition. */
    isKeyed: boolean
}

/**
 * Hands claimed jobs back to their old places without charging the attempt, and holds what their rates count under: no
 * job of it is claimed for so long. A claim whose snapshot is older than that is as one that came before. Windows are
 * written in the order of their keys, as claims do. One that is to be cancelled ends instead.
 */
const text = statementText(
    (schema) => /* sql */ `-- cuckmq: hold-jobs
with returned as (
    update ${schema}.job
    set state = case when ${IS_CANCELLED} then 'exhausted' else 'ready' end::${schema}.job_state,
        attempt = job.attempt - 1, lease_id = null
    from rows from (
        pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::integer[]), pg_catalog.unnest($3::double precision[]),
        pg_catalog.unnest($4::integer[])
    ) as hold(id, token, delay_ms, is_keyed)
    where ${IS_IMPATIENT} and ${isClaimedAs("hold")}
    returning job.id, job.state, job.definition_id, hold.delay_ms,
        case when hold.is_keyed = 1 then coalesce(${rateKey("job.lane")}, '') else '' end as key
), held as (
    insert into ${schema}.rate_window (definition_id, key, held_until, idle_at)
    select definition_id, key, until.held, until.held
    from (
        select definition_id, key, max(delay_ms) as delay_ms from returned group by definition_id, key
    ) as longest
    cross join lateral (select clock_timestamp() + longest.delay_ms * interval '1 ms' as held) as until
    order by definition_id, key
    on conflict (definition_id, key) do update
    set held_until = greatest(rate_window.held_until, excluded.held_until),
        idle_at = greatest(rate_window.idle_at, excluded.idle_at)
)
select id, state from returned`,
)

/** Returns which of the jobs were ours to hand back. */
export async function holdJobs({ run, schema, jobs }: Query & { jobs: readonly Hold[] }): Promise<LetGo> {
    const inOrder = byID(jobs)
    const rows = await run(text(schema), [
        numberList(inOrder.map((job) => job.id)),
        numberList(inOrder.map((job) => job.token)),
        numberList(inOrder.map((job) => job.delayMs)),
        numberList(inOrder.map((job) => Number(job.isKeyed))),
    ])
    return toLetGo(rows)
}
