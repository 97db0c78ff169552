import { CLOCK_SLACK, EVERYONE, HANGING, sqlInvariant } from "../sql-invariant.ts"

/**
 * How many runs each process had when each of them began. Runs that were aborted are left out: they give their slot up a
 * moment before their end can be written down. So are those that never settle and watch no signal, which have no end.
 */
const RUNNING = /* sql */ `
    with counted as materialized (
        select * from run
        where ended_at is not null and outcome <> 'aborted' and not (outcome = 'died' and job_kind in ${HANGING})
    )
    select process, at, job_id, sum(change) over (partition by process order by at, change rows unbounded preceding) as num
    from (
        select process, started_at as at, 1 as change, job_id from counted
        union all
        select process, ended_at, -1, job_id from counted
    ) as mark`

export const concurrency = sqlInvariant({
    id: "I10",
    title: "Concurrency: a worker runs no more jobs at the same time than it may",
    appliesTo: EVERYONE,
    exercised: /* sql */ `select count(*) from (${RUNNING}) as running cross join facts where num = facts.concurrency`,
    violations: /* sql */ `
        select format('%s ran %s jobs', running.process, running.num) as what, array[running.job_id] as job_ids
        from (${RUNNING}) as running
        cross join facts
        where running.num > facts.concurrency`,
    figures: /* sql */ `select max(num) as most_at_a_time from (${RUNNING}) as running`,
})

/** What lay in the way of a process that stopped: it was suspended, or a job kept its event loop busy. */
const HELD_UP = /* sql */ `(
        select coalesce(sum(least(victim.ended_at, stopped_at) - greatest(victim.began_at, stopping_at)), 0) from victim
        where victim.process = process.process and victim.fault like 'suspend-%'
            and victim.began_at < stopped_at and victim.ended_at > stopping_at
    ) + (
        select coalesce(sum(least(run.ended_at, stopped_at) - greatest(run.started_at, stopping_at)), 0) from run
        where run.process = process.process and run.job_kind = 'block'
            and run.started_at < stopped_at and run.ended_at > stopping_at
    )`

/** Beyond its grace, in microseconds. */
const STOP_SLACK = 1_000_000

/** Statements under way when a worker is asked to stop: one claim each of plain, limited, gated and grouped jobs. */
const CLAIMS_UNDER_WAY = 4

export const shutdown = sqlInvariant({
    id: "I20",
    title: "Shutdown: a worker that stops takes no more, ends within its grace, and leaves nothing claimed",
    appliesTo: EVERYONE,
    exercised: "select count(*) from process where role = 'worker' and stopping_at is not null",
    violations: /* sql */ `
        select
            format('%s started a job %s ms after it was to stop', run.process,
                round((run.started_at - process.stopping_at) / 1000.0, 1)) as what,
            array[run.job_id] as job_ids
        from run
        join process on process.process = run.process
        where run.started_at > process.stopping_at + ${CLOCK_SLACK}
        union all
        select format('%s made %s claims after it was to stop', process.process, count(distinct claim.xid)),
            array_agg(claim.job_id)
        from process
        join claim on claim.process = process.process and claim.at > process.stopping_at + ${CLOCK_SLACK}
        group by process.process
        having count(distinct claim.xid) > ${CLAIMS_UNDER_WAY}
        union all
        select format('%s took %s ms to stop', process.process, took / 1000), null
        from process
        where took > grace + ${STOP_SLACK} + ${HELD_UP}
        union all
        select format('%s stopped in time and left it claimed', process.process), array[claim.job_id]
        from process
        join claim on claim.process = process.process
        where process.took <= process.grace
            and (claim.ended_at is null or claim.ended_at > process.stopped_at + ${CLOCK_SLACK})
            and claim.at < process.stopped_at
            and not exists (
                select from fault
                where fault.fault not in ('clock-shift', 'time-zone') and fault.began_at < process.stopped_at and fault.ended_at > process.stopping_at - 10000000
            )`,
    figures: /* sql */ `
        select
            (percentile_cont(0.5) within group (order by took) / 1000)::integer as stop_ms_p50,
            max(took) / 1000 as stop_ms_max
        from process
        where role = 'worker'`,
})
