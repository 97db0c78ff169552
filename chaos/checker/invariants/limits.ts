import { BUCKET, OURS, sqlInvariant } from "../sql-invariant.ts"

/**
 * The claims of a bucket and their ends, in the order in which the database saw them. A claim comes after the commit of
 * every end that it counts on, and so does its number.
 */
export const crowd = sqlInvariant({
    id: "I11",
    title: "Crowd: never more jobs of a key are claimed at the same time than it may have",
    appliesTo: OURS,
    exercised: "select count(*) from claim where job_kind = 'crowded'",
    violations: /* sql */ `
        select format('%s at the same time', num_claimed) as what, array[job_id] as job_ids
        from (
            select
                job_id, change,
                sum(change) over (partition by bucket order by seq rows unbounded preceding) as num_claimed
            from (
                select claim.job_id, ${BUCKET} as bucket, claim.seq, 1 as change
                from claim join job using (job_id)
                where claim.job_kind = 'crowded'
                union all
                select claim.job_id, ${BUCKET}, claim.end_seq, -1
                from claim join job using (job_id)
                where claim.job_kind = 'crowded' and claim.end_seq is not null
            ) as mark
        ) as count
        cross join facts
        where change = 1 and num_claimed > facts.max_crowd`,
    figures: /* sql */ `
        select count(*) filter (where ending = 'reclaimed') as reclaimed from claim where job_kind = 'crowded'`,
})

/**
 * A release is dated after its transaction began and before its trigger's instant. So from the beginning of one claim to
 * the instant of the one that is so many later as may be released in a window, no less than the window passes.
 */
export const rateWindow = sqlInvariant({
    id: "I30",
    title: "Rate windows: never more jobs of a key are claimed within any window than may be",
    appliesTo: OURS,
    exercised: "select count(*) from claim where job_kind = 'metered'",
    violations: /* sql */ `
        select
            format('%s within %s ms', facts.rate_max + 1, round((at - earlier_began_at) / 1000.0, 1)) as what,
            array[earlier_id, job_id] as job_ids
        from (
            select
                claim.job_id, claim.at,
                lag(claim.began_at, (select rate_max from facts)) over ordered as earlier_began_at,
                lag(claim.job_id, (select rate_max from facts)) over ordered as earlier_id
            from claim join job using (job_id)
            where claim.job_kind = 'metered'
            window ordered as (partition by ${BUCKET} order by claim.at, claim.seq)
        ) as gap
        cross join facts
        where at - earlier_began_at < facts.rate_period`,
})

export const order = sqlInvariant({
    id: "I31",
    title: "Order: no job of an ordered group is claimed between the first claim of another and its end",
    appliesTo: OURS,
    exercised: "select count(*) from claim where job_kind = 'ordered'",
    violations: /* sql */ `
        with life as materialized (
            select job.job_id, ${BUCKET} as bucket, min(claim.seq) as began_seq, max(job.terminal_seq) as ended_seq
            from job join claim using (job_id)
            where job.job_kind = 'ordered'
            group by job.job_id, job.key
        )
        select 'claimed while another of its group was not finalized' as what, array[life.job_id, other.job_id] as job_ids
        from life
        join life as other on other.bucket = life.bucket and other.job_id <> life.job_id
        where other.began_seq > life.began_seq and other.began_seq < coalesce(life.ended_seq, other.began_seq + 1)`,
})
