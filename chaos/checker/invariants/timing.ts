import { CLOCK_SLACK, EVERYONE, OURS, sqlInvariant } from "../sql-invariant.ts"

export const notEarly = sqlInvariant({
    id: "I3",
    title: "Not early: no job is claimed before it is due",
    appliesTo: EVERYONE,
    exercised: /* sql */ `
        select (select count(*) from claim join job using (job_id) where claim.due > job.insert_began_at)
            + (select count(*) from intent where delay > 0)`,
    violations: /* sql */ `
        select
            format('claimed %s ms before it was due', round((due - at) / 1000.0, 1)) as what,
            array[job_id] as job_ids
        from claim
        where at < due
        union all
        select
            format('claimed %s ms after it was meant, with a delay of %s ms',
                round((claim.at - intent.at) / 1000.0, 1), intent.delay / 1000),
            array[job.job_id]
        from intent
        join job on job.key = intent.key
        join claim on claim.job_id = job.job_id and claim.claim_no = 1 and claim.life_no = 1
        where intent.delay > 0 and claim.at < intent.at + intent.delay - ${CLOCK_SLACK}`,
})

/**
 * A release is dated after its transaction began, and the next one no sooner than the interval after that. So a claim is
 * never closer to the beginning of the one before than the interval. The triggers' own instants come after the dates by
 * as long as the machine pleases, and may be closer to each other.
 */
export const rate = sqlInvariant({
    id: "I9",
    title: "Rate: starts of a limited definition are an interval apart, by the database's clock",
    appliesTo: OURS,
    exercised: "select count(*) from claim where job_kind = 'limited'",
    violations: /* sql */ `
        select
            format('claimed %s ms after the one before', round((at - previous_began_at) / 1000.0, 1)) as what,
            array[previous_id, job_id] as job_ids
        from (
            select
                job_id, at,
                lag(began_at) over ordered as previous_began_at, lag(job_id) over ordered as previous_id
            from claim
            where job_kind = 'limited'
            window ordered as (order by at, seq)
        ) as gap
        cross join facts
        where at - previous_began_at < facts.release_interval`,
})

/** An orchestrator has other duties, and the machine too: it may come so late without anything being wrong. */
const LATENESS = 3_000_000

/** Ticks that came while no orchestrator could work become one: a fault, or no orchestrator, excuses a gap. */
const MISSED_TICK = /* sql */ `
    select
        format('no job for %s ticks of %s before it, though nothing stood in the way',
            (tick - previous) / repeat_interval - 1, job_kind),
        array[job_id]
    from (
        select
            job_id, job_kind, first_due_at as tick,
            lag(first_due_at) over (partition by job_kind order by first_due_at) as previous
        from job
        where job_kind in ('repeat', 'schedule')
    ) as gap
    cross join facts
    where tick - previous > repeat_interval + ${LATENESS}
        and not exists (
            select from fault
            where fault.fault not in ('clock-shift', 'time-zone') and fault.began_at < tick + repeat_interval and fault.ended_at > previous - repeat_interval
        )
        and exists (
            select from process
            where role = 'orchestrator' and started_at < previous and coalesce(stopping_at, exited_at, tick) >= tick
        )`

export const repeats = sqlInvariant({
    id: "I12",
    title: "Repeats: one job a tick of a definition and of a schedule, none twice, none before its time",
    appliesTo: OURS,
    exercised: "select count(*) from job where job_kind in ('repeat', 'schedule')",
    violations: /* sql */ `
        select format('several jobs of one tick of %s', job_kind) as what, array_agg(job_id) as job_ids
        from job
        where job_kind in ('repeat', 'schedule')
        group by job_kind, first_due_at
        having count(*) > 1
        union all
        select format('off the grid of %s', job_kind), array[job_id]
        from (
            select job_id, job_kind, first_due_at - min(first_due_at) over (partition by job_kind) as since_first
            from job
            where job_kind in ('repeat', 'schedule')
        ) as tick
        cross join facts
        where since_first % repeat_interval <> 0
        union all
        select 'deferred before its tick', array[job_id]
        from job
        where job_kind in ('repeat', 'schedule') and inserted_at < first_due_at
        union all
        ${MISSED_TICK}`,
    figures: /* sql */ `
        select max(inserted_at - first_due_at) / 1000 as latest_ms
        from job
        where job_kind in ('repeat', 'schedule')`,
})
