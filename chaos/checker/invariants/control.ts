import { PAUSED_BUCKET } from "../../workload.ts"
import { BUCKET, CLOCK_SLACK, OURS, sqlInvariant } from "../sql-invariant.ts"

/** What callers were told, with the life that it was about: that of the last cancellation before they heard. */
const TOLD = /* sql */ `
    select
        cancelled.*,
        (
            select max(life_no) from cancelled_life
            where cancelled_life.job_id = cancelled.job_id and cancelled_life.at <= cancelled.at
        ) as life_no
    from cancelled`

/**
 * The triggers of a job's row come in the order of its locks, so a claim that comes after a cancellation is one too many
 * by the server's clock alone. What the caller was told counts from the moment in which it heard.
 */
export const cancellation = sqlInvariant({
    id: "I23",
    title: "Cancellation: no claim of a cancelled job, no start of one that waited, no other end than it was told",
    appliesTo: OURS,
    exercised: "select count(*) from cancellation",
    violations: /* sql */ `
        select
            format('claimed %s ms after it was cancelled', round((claim.at - cancellation.at) / 1000.0, 1)) as what,
            array[job_id] as job_ids
        from cancelled_life as cancellation
        join claim using (job_id, life_no)
        where claim.at > cancellation.at
        union all
        select
            format('started %s ms after it was told to be cancelled', round((run.started_at - cancelled.at) / 1000.0, 1)),
            array[job_id]
        from (${TOLD}) as cancelled
        join run_claim as run using (job_id)
        where cancelled.result = 'cancelled' and run.started_at > cancelled.at + ${CLOCK_SLACK}
            and run.life_no <= cancelled.life_no
        union all
        select 'told to be cancelled, and has succeeded', array[job_id]
        from (${TOLD}) as cancelled
        join job_life using (job_id, life_no)
        where cancelled.result = 'cancelled' and job_life.outcome = 'succeeded'
        union all
        select format('told to be %s, and nothing of it was written', cancelled.result), array[cancelled.job_id]
        from cancelled
        where cancelled.result in ('cancelled', 'cancelling')
            and not exists (select from cancellation where cancellation.job_id = cancelled.job_id)
        union all
        select 'told not to be there, and it is', array[job_id]
        from cancelled
        join job using (job_id)
        where cancelled.result = 'not-found' and coalesce(job.swept_at, 9e18::bigint) > cancelled.at + ${CLOCK_SLACK}
        union all
        select 'ended as cancelled, which nobody asked for', array[job_id]
        from job_life
        where reason = 'cancelled'
            and not exists (
                select from cancelled_life
                where cancelled_life.job_id = job_life.job_id and cancelled_life.life_no = job_life.life_no
            )`,
    figures: /* sql */ `
        select
            count(*) as cancelled,
            count(*) filter (where was_running) as cancelled_running,
            count(*) filter (where was_running and job.outcome = 'succeeded') as succeeded_all_the_same,
            percentile_cont(0.5) within group (order by job.terminal_at - cancellation.at)
                filter (where was_running and job.reason = 'cancelled') / 1000 as running_ended_p50_ms,
            max(job.terminal_at - cancellation.at) filter (where was_running and job.reason = 'cancelled') / 1000
                as running_ended_max_ms
        from cancelled_life as cancellation
        join job_life as job using (job_id, life_no)`,
})

/** What the pauses of a key are recorded under. */
const PAUSED_KEY = `'chaos-key-paused#${PAUSED_BUCKET}'`

/**
 * From when somebody heard that a pause was committed, to when the server ended it. What claims in between has a
 * snapshot that has the pause.
 */
const PAUSE = /* sql */ `
    select
        begun.name,
        heard.at as began_at,
        coalesce(
            (
                select min(ended.at) from pause_change as ended
                where ended.seq > begun.seq and ended.name = begun.name and ended.change = 'resumed'
            ),
            9e18::bigint
        ) as ended_at
    from pause_change as begun
    cross join lateral (
        select min(paused.at) as at from paused where paused.kind = 'paused' and paused.at > begun.at
    ) as heard
    where begun.change = 'paused' and begun.name in ('chaos-paused', ${PAUSED_KEY})`

export const pauses = sqlInvariant({
    id: "I24",
    title: "Pauses: no claim begins between a pause's commit and its end",
    appliesTo: OURS,
    exercised: `select count(*) from (${PAUSE}) as pause where ended_at > began_at + ${CLOCK_SLACK}`,
    violations: /* sql */ `
        select
            format('claimed %s ms after %s was paused', round((claim.at - pause.began_at) / 1000.0, 1), pause.name)
                as what,
            array[claim.job_id] as job_ids
        from (${PAUSE}) as pause
        join claim on claim.began_at > pause.began_at + ${CLOCK_SLACK} and claim.at < pause.ended_at
        join job using (job_id)
        where pause.name = 'chaos-' || claim.job_kind
            || case claim.job_kind when 'key-paused' then '#' || ${BUCKET} else '' end
        union all
        select 'paused for good', null
        from (${PAUSE}) as pause
        where ended_at = 9e18::bigint`,
    figures: /* sql */ `
        select sum(ended_at - began_at) filter (where ended_at > began_at) / 1000 as paused_ms, count(*) as pauses
        from (${PAUSE}) as pause`,
})
