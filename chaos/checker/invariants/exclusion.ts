import { CLOCK_SLACK, EVERYONE, sqlInvariant } from "../sql-invariant.ts"

/**
 * Each time that a job was taken from a claim which had not settled: it was reclaimed, or claimed over its head. With the
 * last promise of the lease that it was under, as its rows stood when it was revoked or, where expiry is written on the
 * job, as the job said.
 */
const TAKEN = /* sql */ `
    select
        claim.job_id, claim.claim_no, claim.process,
        case when ending = 'reclaimed' then ended_at else next_claim_at end as taken_at,
        coalesce(
            (
                select lease_change.expires_at from lease_change
                where lease_change.owner = claim.owner and lease_change.change in ('opened', 'renewed', 'ended')
                order by lease_change.seq desc
                limit 1
            ),
            claim.job_expires_at
        ) as promised_until
    from claim
    where ending = 'reclaimed' or (ending is null and next_claim_at is not null)`

/** A lease that lapsed under a worker that lived, though no fault but one of other processes was near. */
const LET_LAPSE = /* sql */ `
    select format('taken from %s, whose lease lapsed while it lived and nothing stood in its way', taken.process),
        array[taken.job_id]
    from (${TAKEN}) as taken
    join process on process.process = taken.process
    join facts on facts.peer = 'cuckmq'
    where taken_at < coalesce(process.stopping_at, process.exited_at, taken_at + 1)
        and taken_at < coalesce(process.exited_at, taken_at + 1)
        and not exists (
            select from fault
            where fault.began_at < taken_at and fault.ended_at > taken_at - 2 * facts.lease
                and fault.fault not in ('clock-shift', 'time-zone')
                and (
                    not exists (
                        select from victim where victim.fault = fault.fault and victim.began_at = fault.began_at
                    )
                    or exists (
                        select from victim
                        where victim.fault = fault.fault and victim.began_at = fault.began_at
                            and victim.process = taken.process
                    )
                )
        )`

export const leaseExclusion = sqlInvariant({
    id: "I4",
    title: "Leases: no job is taken before its worker settled or its lease lapsed, and none lapses without cause",
    appliesTo: EVERYONE,
    exercised: `select count(*) from (${TAKEN}) as taken`,
    violations: /* sql */ `
        select
            format('taken %s ms before the lease lapsed', round((promised_until - taken_at) / 1000.0, 1)) as what,
            array[job_id] as job_ids
        from (${TAKEN}) as taken
        where taken_at < promised_until
        union all
        select 'taken from a worker that had made no promise to let go of it', array[job_id]
        from (${TAKEN}) as taken
        where promised_until is null
        union all
        ${LET_LAPSE}`,
})

/** A run that goes on when its own claim is settled as its success or failure: somebody else settled it. */
const SETTLED_BY_OTHERS = /* sql */ `
    select
        format('%s by someone while the attempt that had the job was still running', claim.ending),
        array[claim.job_id]
    from claim
    join run_claim as run on run.job_id = claim.job_id and run.claim_no = claim.claim_no
    where (claim.ending in ('retried', 'succeeded') or (claim.ending = 'failed' and claim.end_reason = 'error'))
        -- These complete within their own transaction, before they return.
        and claim.job_kind is distinct from 'effect'
        and coalesce(run.ended_at, claim.ended_at + ${CLOCK_SLACK} + 1) > claim.ended_at + ${CLOCK_SLACK}`

/** After a claim's end, and before the next claim, nobody may settle but who finds a job without a hope. */
const SETTLED_AGAIN = /* sql */ `
    select format('%s after it was %s, without a claim between', step.change, claim.ending), array[claim.job_id]
    from claim
    join step on step.job_id = claim.job_id and step.claim_no = claim.claim_no and step.seq > claim.end_seq
    where step.change in ('retried', 'reclaimed')
        or (
            -- An attempt whose lease lapsed, but whose job nobody claimed since, may record its outcome.
            claim.ending in ('retried', 'waiting')
            and (step.change = 'succeeded' or (step.change = 'failed' and step.reason = 'error'))
        )`

export const fencing = sqlInvariant({
    id: "I5",
    title: "Fencing: a claim is settled once and by its own worker, a life of a job ends once and for all",
    appliesTo: EVERYONE,
    exercised: "select count(*) from claim where ending in ('retried', 'succeeded', 'failed')",
    violations: /* sql */ `
        select format('ended %s times', num_terminals) as what, array[job_id] as job_ids
        from job_life
        where num_terminals > 1
        union all
        select 'became something else after its end', array[job_id]
        from job_life as job
        where num_revivals > 0
            or exists (
                select from step
                where step.job_id = job.job_id and step.life_no = job.life_no and step.seq > job.terminal_seq
                    and step.change not in ('claimed', 'succeeded', 'failed', 'swept', 'revived')
            )
        union all
        select format('recorded by %s, though %s had it', claim.settled_by, claim.process), array[claim.job_id]
        from claim
        join process on process.process = claim.settled_by
        where claim.ending in ('succeeded', 'failed') and claim.settled_by <> claim.process
        union all
        ${SETTLED_AGAIN}
        union all
        ${SETTLED_BY_OTHERS}`,
    // Attempts that came to an end whose outcome nobody wanted any more, of processes that lived to try.
    figures: /* sql */ `
        select count(*) as stale_settles_fenced
        from run_claim as run
        join claim on claim.job_id = run.job_id and claim.claim_no = run.claim_no
        join process on process.process = run.process
        where run.outcome in ('returned', 'threw', 'aborted')
            and (claim.ending = 'reclaimed' or (claim.ending is null and claim.next_claim_at is not null))
            and coalesce(process.exited_at, run.ended_at + 1)
                > greatest(run.ended_at, coalesce(claim.ended_at, claim.next_claim_at))`,
})

export const nothingAfterTheEnd = sqlInvariant({
    id: "I6",
    title: "Done is done: nothing is claimed or started after its end was committed",
    appliesTo: EVERYONE,
    exercised: "select count(*) from job_life where num_terminals > 0",
    violations: /* sql */ `
        select 'claimed after its end' as what, array[job.job_id] as job_ids
        from job_life as job
        join claim on claim.job_id = job.job_id and claim.life_no = job.life_no
        where claim.seq > job.terminal_seq
        union all
        select format('started %s ms after its end', round((run.started_at - job.terminal_at) / 1000.0, 1)),
            array[job.job_id]
        from job_life as job
        join run_claim as run on run.job_id = job.job_id and run.life_no = job.life_no
        where run.started_at > job.terminal_at + ${CLOCK_SLACK}`,
})
