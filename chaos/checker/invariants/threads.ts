import { NUM_THREADS } from "../../workload.ts"
import { IN_THREADS, OURS, sqlInvariant } from "../sql-invariant.ts"

/** How many runs in threads each process had when each of them began, without those that have no end to be written down. */
const RUNNING = /* sql */ `
    select process, at, job_id, sum(change) over (partition by process order by at, change rows unbounded preceding) as num
    from (
        select process, started_at as at, 1 as change, job_id from run where job_kind = 'thread' and ended_at is not null
        union all
        select process, ended_at, -1, job_id from run where job_kind = 'thread' and ended_at is not null
    ) as mark`

export const threads = sqlInvariant({
    id: "I26",
    title: "Threads: one for a job at a time, no more than there may be, and what hangs in one is ended with it",
    appliesTo: OURS,
    exercised: `select count(*) from run where job_kind in ${IN_THREADS}`,
    violations: /* sql */ `
        select format('%s ran %s jobs in %s threads', process, num, ${NUM_THREADS}) as what, array[job_id] as job_ids
        from (${RUNNING}) as running
        where num > ${NUM_THREADS}
        union all
        select format('started in %s while its only thread hung in another job', run.process),
            array[hung.job_id, run.job_id]
        from run_claim as hung
        join claim on claim.job_id = hung.job_id and claim.claim_no = hung.claim_no
        join run on run.process = hung.process and run.started_at > hung.started_at
        where hung.job_kind = 'thread-hang' and run.job_kind in ${IN_THREADS}
            and run.started_at < claim.ended_at`,
    figures: /* sql */ `
        select
            count(*) filter (where job_kind = 'thread-hang') as hung,
            count(*) filter (where job_kind = 'thread' and outcome = 'threw') as ended_their_threads,
            count(*) filter (where job_kind = 'thread' and outcome = 'returned') as returned
        from run`,
})
