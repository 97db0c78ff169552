import { OURS, sqlInvariant } from "../sql-invariant.ts"

/** A job may be finalized into a part of history that is sealed while its statement runs. */
const STATEMENT = 1_000_000

export const sweep = sqlInvariant({
    id: "I13",
    title: "Sweeping: only what ended longer ago than the threshold is removed",
    appliesTo: OURS,
    exercised: "select count(*) from step where change = 'swept'",
    violations: /* sql */ `
        select
            case
                when job.terminal_at is null then 'swept before it ended'
                else format('swept %s ms after its end', (step.at - job.terminal_at) / 1000)
            end as what,
            array[job.job_id] as job_ids
        from step
        join job_life as job on job.job_id = step.job_id and job.life_no = step.life_no
        cross join facts
        where step.change = 'swept'
            and (job.terminal_at is null or step.at < job.terminal_at + facts.history_threshold - ${STATEMENT})`,
})

/** All that is overdue when the campaign ends, though it had the time that is promised, and was not replayed. */
const DUE = /* sql */ `
    select job.*
    from job_life as job
    cross join facts
    cross join (
        select max(at) filter (where phase = 'calm') as calm_at, max(at) filter (where phase = 'end') as end_at from phase
    ) as phases
    where job.terminal_at is not null and job.next_began_at is null
        -- A tenth of the threshold until its part of history is sealed, and a clean interval each to seal and to empty it.
        and greatest(job.terminal_at, phases.calm_at) + facts.history_threshold * 11 / 10
            + 2 * facts.clean_interval + 5 * ${STATEMENT} < phases.end_at`

export const retention = sqlInvariant({
    id: "I14",
    title: "Retention: what is older than the threshold is gone in time",
    appliesTo: OURS,
    exercised: `select count(*) from (${DUE}) as due`,
    violations: /* sql */ `
        select 'still in history when the campaign ended' as what, array[job_id] as job_ids
        from (${DUE}) as due
        where swept_at is null`,
})
