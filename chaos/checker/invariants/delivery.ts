import { EVERYONE, sqlInvariant } from "../sql-invariant.ts"

export const noLoss = sqlInvariant({
    id: "I1",
    title: "No loss: every acknowledged job exists once, and ends",
    appliesTo: EVERYONE,
    exercised: "select count(*) from acked",
    violations: /* sql */ `
        select 'acknowledged, but never there: ' || acked.key as what, array[acked.job_id] as job_ids
        from acked
        where not exists (select from job where job.job_id = acked.job_id and job.inserted_at is not null)
        union all
        select 'acknowledged under an id that is another job''s: ' || acked.key, array[acked.job_id, job.job_id]
        from acked
        join job on job.job_id = acked.job_id
        -- Of one that is unique another may stand: see I32.
        where job.key is distinct from acked.key and job.job_kind is distinct from 'unique'
        union all
        select
            'neither succeeded nor failed: ' || coalesce(job.key, job.job_kind)
                || case when life_no > 1 then ' in its life ' || life_no else '' end,
            array[job.job_id]
        from job_life
        join job using (job_id)
        where job_life.num_terminals = 0
        union all
        select 'removed without an end: ' || coalesce(job.key, job.job_kind), array[job.job_id]
        from job
        where job.num_deletions > 0
        union all
        select 'removed as a success, though its run had not returned: ' || step.key, array[step.job_id]
        from step
        where step.job_kind = 'unkept' and step.change = 'succeeded'
            and not exists (
                select from run_claim as run
                where run.job_id = step.job_id and run.claim_no = step.claim_no and run.outcome = 'returned'
            )`,
    figures: /* sql */ `
        select
            (select count(*) from acked) as acknowledged,
            (select count(*) from job where outcome = 'succeeded') as succeeded,
            (select count(*) from job where outcome = 'failed') as failed`,
})

/** What a producer writes of its own beside the jobs that it defers in a transaction: a row with the group as its key. */
const BESIDE = "beside"

export const noPhantom = sqlInvariant({
    id: "I2",
    title: "No phantom: a job for each intent at most, none that was rolled back, transactions whole",
    appliesTo: EVERYONE,
    exercised: "select (select count(*) from intent) + (select count(*) from rolled_back)",
    violations: /* sql */ `
        select 'nobody meant to defer it' as what, array[job_id] as job_ids
        from job
        where coalesce(job_kind, '') not in ('repeat', 'schedule') and not exists (select from intent where intent.key = job.key)
        union all
        select 'several jobs of one key: ' || key, array_agg(job_id)
        from job
        where key is not null
        group by key
        having count(*) > 1
        union all
        select 'its transaction was rolled back: ' || job.key, array[job.job_id]
        from rolled_back
        join intent on intent.bundle = rolled_back.bundle
        join job on job.key = intent.key
        union all
        select 'a transaction of which only a part is there: ' || intent.bundle, array_agg(job.job_id)
        from intent
        left join job on job.key = intent.key
        where intent.form = 'transaction' and intent.job_kind <> 'unique'
        group by intent.bundle
        having count(job.job_id) not in (0, count(*))
        union all
        select 'jobs without what was written in the same transaction, or the other way round: ' || intent.bundle,
            array_agg(job.job_id)
        from intent
        left join job on job.key = intent.key
        where intent.form = 'transaction' and intent.job_kind <> 'unique'
            and exists (select from effect where job_id = '${BESIDE}')
        group by intent.bundle
        having (count(job.job_id) > 0)
            <> exists (select from effect where effect.job_id = '${BESIDE}' and effect.key = intent.bundle)`,
    figures: /* sql */ `
        select
            (select count(*) from rolled_back) as rolled_back,
            (select count(*) from refused) as refused,
            (
                select count(*) from intent join job on job.key = intent.key
                where not exists (select from acked where acked.key = intent.key)
            ) as unacknowledged_but_there`,
})
