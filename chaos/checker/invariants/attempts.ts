import { EVERYONE, sqlInvariant } from "../sql-invariant.ts"

/** A claim that was handed back is not charged. Each life of a job has a count of its own. */
const CHARGED = /* sql */ `
    select job_id, life_no, count(*) filter (where ending is distinct from 'waiting') as num_charged
    from claim
    group by job_id, life_no`

export const attempts = sqlInvariant({
    id: "I7",
    title: "Attempts: never more than allowed, never fewer for what always fails, and recorded as they went",
    appliesTo: EVERYONE,
    exercised: "select count(*) from claim where claim_no > 1",
    violations: /* sql */ `
        select format('%s attempts were charged, %s allowed', num_charged, num_retries + 1) as what,
            array[job_id] as job_ids
        from (${CHARGED}) as charged
        cross join facts
        where num_charged > num_retries + 1
        union all
        select format('failed for good after %s attempts of %s', num_charged, num_retries + 1), array[job.job_id]
        from job_life as job
        join (${CHARGED}) as charged using (job_id, life_no)
        cross join facts
        where job.job_kind = 'hopeless' and job.outcome = 'failed'
            and coalesce(job.reason, 'error') in ('error', 'no-attempts-remaining')
            and num_charged < num_retries + 1
        union all
        select 'always throws, and is recorded as a success', array[job_id]
        from job_life
        where job_kind = 'hopeless' and outcome = 'succeeded'
        union all
        select format('its handler returned, and it was recorded as %s', claim.ending), array[claim.job_id]
        from run_claim as run
        join claim on claim.job_id = run.job_id and claim.claim_no = run.claim_no
        where run.outcome = 'returned'
            and (
                claim.ending = 'retried'
                or (claim.ending = 'failed' and coalesce(claim.end_reason, 'error') in ('error', 'no-attempts-remaining'))
            )
        union all
        select 'its handler threw, and it was recorded as a success', array[claim.job_id]
        from run_claim as run
        join claim on claim.job_id = run.job_id and claim.claim_no = run.claim_no
        where run.outcome in ('threw', 'garbled') and claim.ending = 'succeeded'
        union all
        select 'its payload was not what was sent', array[run.job_id]
        from run
        where run.outcome = 'garbled'`,
    figures: /* sql */ `
        select
            count(*) filter (where ending = 'waiting') as handed_back,
            count(*) filter (where ending = 'reclaimed') as reclaimed,
            count(*) filter (where ending = 'retried') as retried
        from claim`,
})
