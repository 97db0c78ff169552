import { OURS, sqlInvariant } from "../sql-invariant.ts"

export const effects = sqlInvariant({
    id: "I16",
    title: "Effects: a job that completes in its own transaction has one effect when it succeeded, none when not",
    appliesTo: OURS,
    exercised: "select count(*) from job where job_kind = 'effect'",
    violations: /* sql */ `
        select
            format('%s, with %s effects', coalesce(job.outcome, 'unfinished'), count(effect.seq)) as what,
            array[job.job_id] as job_ids
        from job
        left join effect on effect.job_id = job.job_id
        where job.job_kind = 'effect'
        group by job.job_id, job.outcome
        having count(effect.seq) <> case when job.outcome = 'succeeded' then 1 else 0 end`,
})
