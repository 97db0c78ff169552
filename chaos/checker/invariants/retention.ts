import { OURS, sqlInvariant } from "../sql-invariant.ts"

/** A job may be finalized into a part of history that is sealed while its statement runs. */
const STATEMENT = 1_000_000

/** How long a job is kept at least: as its definition says, or else as the orchestrators do. */
const THRESHOLD = /* sql */ `case when job.job_kind in ('kept', 'unkept') then facts.kept_threshold else facts.history_threshold end`

/**
 * How long it is kept at the most, but for the clean intervals: what succeeds a tenth longer, unless its definition says how
 * long; all else is in rings of three parts, and twice as long.
 */
const BOUND = /* sql */ `case
        when job.job_kind in ('kept', 'unkept') then 2 * facts.kept_threshold
        when job.outcome = 'failed' then 2 * facts.history_threshold
        else facts.history_threshold * 11 / 10
    end`

export const sweep = sqlInvariant({
    id: "I13",
    title: "Sweeping: only what ended longer ago than is wanted is removed",
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
            and (job.terminal_at is null or step.at < job.terminal_at + ${THRESHOLD} - ${STATEMENT})`,
    figures: /* sql */ `
        select
            count(*) filter (where job.job_kind in ('kept', 'unkept')) as swept_as_their_definitions_say,
            min(step.at - job.terminal_at) filter (where job.job_kind in ('kept', 'unkept')) / 1000 as earliest_of_them_ms,
            min(step.at - job.terminal_at) filter (where job.job_kind not in ('kept', 'unkept')) / 1000
                as earliest_of_others_ms
        from step
        join job_life as job on job.job_id = step.job_id and job.life_no = step.life_no
        where step.change = 'swept'`,
})

/** What is kept for a minute or more is overdue long before a campaign is calm: faults may hold up the sweep so long. */
const HELD_UP = 60_000_000

/** All that is overdue when the campaign ends, though it had the time that is promised, and was not replayed. */
const DUE = /* sql */ `
    select job.*
    from job_life as job
    cross join facts
    cross join (
        select max(at) filter (where phase = 'calm') as calm_at, max(at) filter (where phase = 'end') as end_at from phase
    ) as phases
    where job.terminal_at is not null and job.next_began_at is null
        and ${BOUND} + 2 * facts.clean_interval + 5 * ${STATEMENT} + case
            when job.job_kind in ('kept', 'unkept') then job.terminal_at + ${HELD_UP}
            else greatest(job.terminal_at, phases.calm_at)
        end < phases.end_at`

/** What ends as a success and is not to be kept must never be in history. */
const WRITTEN = /* sql */ `select job_id from transition where job_kind = 'unkept' and change = 'succeeded'`

export const retention = sqlInvariant({
    id: "I14",
    title: "Retention: what is older than is wanted is gone in time, and what is not to be kept at once",
    appliesTo: OURS,
    exercised: /* sql */ `
        select (select count(*) from (${DUE}) as due)
            + (select count(*) from job_life where job_kind = 'unkept' and outcome = 'succeeded')`,
    violations: /* sql */ `
        select 'still in history when the campaign ended' as what, array[job_id] as job_ids
        from (${DUE}) as due
        where swept_at is null
        union all
        select 'written to history, though it was not to be kept', array[job_id]
        from (${WRITTEN}) as written`,
    figures: /* sql */ `
        select
            count(*) filter (where job_kind = 'unkept' and outcome = 'succeeded') as not_kept,
            max(swept_at - terminal_at) filter (where job_kind = 'kept') / 1000 as latest_of_kept_ms
        from job_life`,
})
