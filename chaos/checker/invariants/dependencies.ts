import { OURS, sqlInvariant } from "../sql-invariant.ts"

/** A replay is committed within this time after its trigger's instant. */
const COMMIT = 2_000_000

/**
 * Every edge: a job that is there, and one that it requires. What counts of a job that was replayed is the life that it was
 * in when the other was deferred, live or over: in doubt, which is when it was replayed at the same time, either of two.
 */
const EDGE = /* sql */ `
    select
        child.*, parent.job_id as parent_id, parent_life.*
    from intent
    cross join lateral unnest(intent.requires) as required(key)
    join job as child on child.key = intent.key
    left join job as parent on parent.key = required.key
    cross join lateral (
        select
            bool_and(outcome is not distinct from 'failed') as has_parent_failed,
            bool_and(outcome is not distinct from 'succeeded') as has_parent_succeeded,
            min(terminal_at) filter (where outcome = 'succeeded') as parent_succeeded_at,
            max(terminal_at) as parent_ended_at
        from job_life
        where job_life.job_id = parent.job_id
            and job_life.began_at <= child.inserted_at
            and coalesce(job_life.next_began_at + ${COMMIT}, child.insert_began_at) >= child.insert_began_at
    ) as parent_life`

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
        where edge.parent_succeeded_at is null or claim.at < edge.parent_succeeded_at
        union all
        select 'a job that it requires failed, and it succeeded', array[job_id, parent_id]
        from edge
        where has_parent_failed and outcome = 'succeeded'
        union all
        select format('a job that it requires failed, and it ended as %s', reason), array[job_id, parent_id]
        from edge
        where has_parent_failed and outcome = 'failed' and reason not in ('unmet-dependencies', 'timeout', 'cancelled')
        union all
        select 'ended as having unmet dependencies, though all succeeded', array_agg(parent_id) || job_id
        from edge
        where reason = 'unmet-dependencies'
        group by job_id
        having bool_and(coalesce(has_parent_succeeded, false))
        union all
        select format('stayed %s s after a job that it requires failed',
                round((coalesce(terminal_at, calm.at) - parent_ended_at) / 1e6)),
            array[job_id, parent_id]
        from edge
        cross join facts
        cross join calm
        where has_parent_failed
            and coalesce(terminal_at, 9e18::bigint)
                > greatest(parent_ended_at, inserted_at, calm.at) + facts.clean_interval + ${GRACE}`,
    figures: /* sql */ `
        select
            count(*) filter (where outcome = 'succeeded') as dependents_succeeded,
            count(*) filter (where reason = 'unmet-dependencies') as dependents_unmet
        from job
        where job_kind = 'dependent'`,
})
