import { CLOCK_SLACK, OURS, sqlInvariant } from "../sql-invariant.ts"

/**
 * How many runs each process had told the beginning and the end of, each time that it told an end. It may lose a job and
 * claim it again while the first run goes on, so runs of a job overlap; but no run ends twice, nor without a beginning.
 */
const ENDED = /* sql */ `
    select
        process, job_id, type,
        count(*) filter (where type = 'worker-job-dequeue') over so_far as num_begun,
        count(*) filter (where type in ('worker-job-finalize-success', 'worker-job-error')) over so_far as num_ended
    from event
    where job_id is not null
    window so_far as (partition by process, job_id order by at, type <> 'worker-job-dequeue' rows unbounded preceding)`

/** Every failure that was told, numbered for each job: each of its lives may fail once. */
const FAILURE = /* sql */ `
    select job_id, type, at, row_number() over (partition by job_id order by at) as told_no
    from event
    where type like '%-finalize-failure%'`

export const events = sqlInvariant({
    id: "I17",
    title: "Events: every success that is told is committed, told once, and told of a run",
    appliesTo: OURS,
    exercised: "select count(*) from event where type = 'worker-job-finalize-success'",
    violations: /* sql */ `
        select 'told as a success, and it is none' as what, array[event.job_id] as job_ids
        from event
        left join job on job.job_id = event.job_id
        where event.type = 'worker-job-finalize-success'
            and (job.outcome is distinct from 'succeeded' or event.at < job.terminal_at - ${CLOCK_SLACK})
        union all
        select 'told as a success more than once', array[job_id]
        from event
        where type = 'worker-job-finalize-success'
        group by job_id
        having count(*) > 1
        union all
        select format('told for the %s. time as a failure, and has failed less often: %s', told_no, type), array[job_id]
        from (${FAILURE}) as failure
        where told_no > (
            select count(*) from job_life
            where job_life.job_id = failure.job_id and job_life.outcome = 'failed'
                and job_life.terminal_at <= failure.at + ${CLOCK_SLACK}
        )
        union all
        select format('told by %s to have ended more often than it began', process), array[job_id]
        from (${ENDED}) as ended
        where num_ended > num_begun and type in ('worker-job-finalize-success', 'worker-job-error')`,
    figures: /* sql */ `
        select
            count(*) filter (where type = 'worker-job-lease-lost') as leases_lost,
            count(*) filter (where type = 'daemon-error') as daemon_errors
        from event`,
})
