import { CLOCK_SLACK, HELD_BACK, OURS, sqlInvariant } from "../sql-invariant.ts"

/** A job that takes longer to be committed may be passed over, and so may one that was locked when it was looked for. */
const LATE = 1_000_000

/**
 * Pairs of claims: one of a job that may wait, and the first one of an urgent job that had been acknowledged before the
 * other claim's transaction began, and whose own began after the other was over. What a claim that is rolled back or cut
 * off held locked was not there to be taken, so only what no fault was near counts.
 */
export const priority = sqlInvariant({
    id: "I32",
    title: "Priority: no claim takes a job while an urgent one has been there since before it began",
    appliesTo: OURS,
    exercised: "select count(*) from claim where job_kind = 'urgent' and claim_no = 1",
    violations: /* sql */ `
        select
            format('claimed while job %s had been there for %s ms', urgent.job_id,
                round((claim.began_at - urgent.acked_at) / 1000.0, 1)) as what,
            array[claim.job_id, urgent.job_id] as job_ids
        from (
            select job.job_id, min(acked.at) as acked_at, min(first.began_at) as claim_began_at
            from job
            join acked using (job_id)
            join claim as first using (job_id)
            where job.job_kind = 'urgent' and first.claim_no = 1
                and acked.at - job.insert_began_at < ${LATE}
            group by job.job_id
        ) as urgent
        join claim on claim.began_at > urgent.acked_at + ${CLOCK_SLACK}
            and claim.at + ${CLOCK_SLACK} < urgent.claim_began_at
        where claim.job_kind is distinct from 'urgent' and coalesce(claim.job_kind, '') not in ${HELD_BACK}
            and not exists (
                select from fault
                where claim.at > fault.began_at - ${LATE} and claim.at < fault.ended_at + ${LATE}
            )`,
    figures: /* sql */ `
        select
            percentile_cont(0.5) within group (order by claim.at - acked.at) filter (where claim.job_kind = 'urgent')
                / 1000 as urgent_claimed_p50_ms,
            percentile_cont(0.5) within group (order by claim.at - acked.at) filter (where claim.job_kind = 'noop')
                / 1000 as others_claimed_p50_ms
        from claim
        join acked using (job_id)
        where claim.claim_no = 1`,
})
