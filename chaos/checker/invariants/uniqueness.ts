import { CLOCK_SLACK, OURS, sqlInvariant } from "../sql-invariant.ts"

/** What a job is the same as others by, out of its key. */
const bucketOf = (key: string) => /* sql */ `split_part(${key}, '#', 2)`

/** Deferrals that were told of a job of another plan: that one stands. */
const KEPT = /* sql */ `
    select acked.key, acked.job_id, job.key as standing_key, job.job_kind as standing_kind, job.terminal_at
    from acked
    join job on job.job_id = acked.job_id
    where job.job_kind = 'unique' and job.key is distinct from acked.key`

/**
 * A job is inserted after the commit of the end of the one that had its key, and so is its number. One that will never run
 * makes room before it is finalized.
 */
export const uniqueness = sqlInvariant({
    id: "I33",
    title: "Uniqueness: never two live jobs of a key, and a deferral that makes none names one that lived",
    appliesTo: OURS,
    exercised: `select count(*) from (${KEPT}) as kept`,
    violations: /* sql */ `
        with life as materialized (
            select
                job.job_id, ${bucketOf("job.key")} as bucket, job.terminal_seq, job.reason,
                (select min(seq) from step where step.job_id = job.job_id and change = 'inserted') as began_seq
            from job
            where job.job_kind = 'unique'
        )
        select 'inserted while another of its key was live' as what, array[life.job_id, other.job_id] as job_ids
        from life
        join life as other on other.bucket = life.bucket and other.job_id <> life.job_id
        where other.began_seq > life.began_seq
            and other.began_seq < coalesce(life.terminal_seq, other.began_seq + 1)
            and life.reason is distinct from 'no-attempts-remaining'
        union all
        select 'kept for a job of another key: ' || key, array[job_id]
        from (${KEPT}) as kept
        where ${bucketOf("key")} <> ${bucketOf("standing_key")}
        union all
        select 'kept for a job that had ended before: ' || kept.key, array[kept.job_id]
        from (${KEPT}) as kept
        join intent on intent.key = kept.key
        where kept.terminal_at < intent.at - ${CLOCK_SLACK}`,
})
