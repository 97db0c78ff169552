import { OURS, sqlInvariant } from "../sql-invariant.ts"

/** Every edge: a job that is there, and one that it requires. */
const EDGE = /* sql */ `
    select child.*, parent.job_id as parent_id, parent.outcome as parent_outcome, parent.terminal_at as parent_ended_at
    from intent
    cross join lateral unnest(intent.requires) as required(key)
    join job as child on child.key = intent.key
    left join job as parent on parent.key = required.key`

/** How long a job that can never run may stay, once nothing stands in the way, beyond a clean interval. */
const GRACE = 5_000_000

export const dependencies = sqlInvariant({
    id: "I8",
    title: "Dependencies: claimed after all required succeeded; never, and soon failed, when one did not",
    appliesTo: OURS,
    exercised: "select count(*) from intent where cardinality(requires) > 0",
    violations: /* sql */ `
        with edge as materialized (${EDGE}), calm as (select max(at) as at from phase where phase.phase = 'calm')
        select 'depends on a job that never was' as what, array[job_id] as job_ids
        from edge
        where parent_id is null
        union all
        select 'claimed before a job that it requires succeeded', array[edge.job_id, edge.parent_id]
        from edge
        join claim on claim.job_id = edge.job_id
        where edge.parent_outcome is distinct from 'succeeded' or claim.at < edge.parent_ended_at
        union all
        select 'a job that it requires failed, and it succeeded', array[job_id, parent_id]
        from edge
        where parent_outcome = 'failed' and outcome = 'succeeded'
        union all
        select format('a job that it requires failed, and it ended as %s', reason), array[job_id, parent_id]
        from edge
        where parent_outcome = 'failed' and outcome = 'failed' and reason not in ('unmet-dependencies', 'timeout', 'cancelled')
        union all
        select 'ended as having unmet dependencies, though all succeeded', array_agg(parent_id) || job_id
        from edge
        where reason = 'unmet-dependencies'
        group by job_id
        having bool_and(parent_outcome is not distinct from 'succeeded')
        union all
        select format('stayed %s s after a job that it requires failed',
                round((coalesce(terminal_at, calm.at) - parent_ended_at) / 1e6)),
            array[job_id, parent_id]
        from edge
        cross join facts
        cross join calm
        where parent_outcome = 'failed'
            and coalesce(terminal_at, 9e18::bigint)
                > greatest(parent_ended_at, inserted_at, calm.at) + facts.clean_interval + ${GRACE}`,
    figures: /* sql */ `
        select
            count(*) filter (where outcome = 'succeeded') as dependents_succeeded,
            count(*) filter (where reason = 'unmet-dependencies') as dependents_unmet
        from job
        where job_kind = 'dependent'`,
})
