import { SNOOZE_MS } from "../../workload.ts"
import { OURS, sqlInvariant } from "../sql-invariant.ts"

/** The least that there must be between a snooze and the next claim, in microseconds: it is written a moment later. */
const SNOOZED = SNOOZE_MS * 1_000 - 200_000

/** Every run that asked for it, with the claim that it belongs to. */
const SNOOZES = /* sql */ `
    select claim.*
    from run_claim as run
    join claim on claim.job_id = run.job_id and claim.claim_no = run.claim_no
    where run.outcome = 'snoozed'`

export const retryPolicy = sqlInvariant({
    id: "I34",
    title: "Retry policy: what must not be tried again is not, and what is snoozed is neither charged nor early",
    appliesTo: OURS,
    exercised: `select (select count(*) from (${SNOOZES}) as snooze) +
        (select count(*) from job where job_kind in ('unretryable', 'overrun') and outcome is not null)`,
    violations: /* sql */ `
        select 'tried again, though it threw what must not be' as what, array[job_id] as job_ids
        from claim
        where job_kind = 'unretryable' and ending = 'retried'
        union all
        select 'snoozed, and recorded as ' || ending, array[job_id]
        from (${SNOOZES}) as snooze
        where ending in ('retried', 'succeeded')
        union all
        select format('claimed %s ms after it was snoozed', (next_claim_at - ended_at) / 1000), array[job_id]
        from (${SNOOZES}) as snooze
        where ending = 'waiting' and next_claim_at < ended_at + ${SNOOZED}
        union all
        select format('was to be ended %s times by the limit of its attempts, and succeeded', job.num_claims), array[job_id]
        from job
        where job_kind = 'overrun' and outcome = 'succeeded' and num_claims < 2`,
    figures: /* sql */ `
        select
            count(*) filter (where ending = 'waiting') as snoozed,
            (select count(*) from claim where job_kind = 'overrun' and ending = 'retried') as overrun
        from (${SNOOZES}) as snooze`,
})
