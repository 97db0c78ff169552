import { EVERYONE, HELD_BACK, sqlInvariant } from "../sql-invariant.ts"

/** Beyond a lease, and the time that the backlog takes, in microseconds. */
const SLACK = 10_000_000

/** Jobs of the backlog that even a busy machine starts in a second. */
const STARTS_A_SECOND = 100

/**
 * Claims after the calm, with the time that each job had stood due. Limited jobs wait for their turn, as do those that run
 * in threads, and dependents wait for others.
 */
const WAITS = /* sql */ `
    with calm as materialized (
        select max(at) as at from phase where phase = 'calm'
    ), backlog as materialized (
        select count(*) as num from job cross join calm
        where job.inserted_at < calm.at and coalesce(job.terminal_at, calm.at) >= calm.at
    )
    select
        claim.job_id, backlog.num as backlog,
        claim.at - greatest(
            calm.at, claim.due, job.inserted_at,
            (
                select previous.ended_at from claim as previous
                where previous.job_id = claim.job_id and previous.claim_no = claim.claim_no - 1
            )
        ) as waited
    from calm
    cross join backlog
    join claim on claim.at > calm.at
    join job on job.job_id = claim.job_id
    where coalesce(claim.job_kind, '') not in ${HELD_BACK} and claim.job_kind is distinct from 'dependent'`

export const liveness = sqlInvariant({
    id: "I18",
    title: "Liveness: when the faults are over everything drains, and nothing that is due waits for long",
    appliesTo: EVERYONE,
    exercised: "select count(*) from phase where phase in ('drained', 'not-drained')",
    violations: /* sql */ `
        select 'it did not drain' as what, (
            select array_agg(job_id) from (select job_id from job where num_terminals = 0 limit 3) as unfinished
        ) as job_ids
        from phase
        where phase = 'not-drained'
        union all
        select format('due for %s ms after the calm', waited / 1000), array[job_id]
        from (${WAITS}) as wait
        cross join facts
        where waited > facts.lease + ${SLACK} + backlog * 1000000 / ${STARTS_A_SECOND}`,
    figures: /* sql */ `
        select
            (
                select (max(at) filter (where phase = 'drained') - max(at) filter (where phase = 'calm')) / 1000 from phase
            ) as drained_after_ms,
            max(waited) / 1000 as longest_wait_ms
        from (${WAITS}) as wait`,
})
