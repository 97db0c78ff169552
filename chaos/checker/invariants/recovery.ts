import type { Invariant } from "../invariant.ts"
import { EVERYONE, HELD_BACK } from "../sql-invariant.ts"

/** Conditions that last while work goes on, not faults to recover from. */
const CONDITIONS = "('clock-shift', 'time-zone')"

/**
 * What came back when after each fault. Of processes, every job that they held and did not settle, with its next claim or
 * its end; of everything else, the next claim of any job after the fault's end, while there were producers to make work.
 * A job that was taken back stands at the end of its line: it waits since the last one was claimed that had been there
 * before it, however slow the machine is.
 */
const RECOVERED = /* sql */ `
    select victim.fault, victim.began_at, greatest(victim.began_at, ahead.claimed_at) as since, claim.job_id,
        least(claim.next_claim_at, job.terminal_at) as recovered_at
    from victim
    join claim on claim.process = victim.process and claim.at < victim.began_at
        and coalesce(claim.ended_at, victim.began_at + 1) > victim.began_at
    join job_life as job on job.job_id = claim.job_id and job.life_no = claim.life_no
    cross join lateral (
        select max(other.at) as claimed_at
        from claim as other
        join job_life as ahead on ahead.job_id = other.job_id and ahead.life_no = other.life_no
        where other.job_kind = claim.job_kind and other.job_id <> claim.job_id
            and other.at > claim.ended_at and other.at < claim.next_claim_at
            and ahead.began_at < claim.ended_at
    ) as ahead
    where (claim.ending in ('reclaimed', 'waiting') or claim.ending is null)
        -- These wait for their turn whatever happens.
        and coalesce(claim.job_kind, '') not in ${HELD_BACK}
        and coalesce(claim.job_kind, '') <> 'paused'
    union all
    select fault, began_at, ended_at, null,
        (select min(claim.at) from claim where claim.at > fault.ended_at)
    from fault
    where fault not in ${CONDITIONS}
        and not exists (select from victim where victim.fault = fault.fault and victim.began_at = fault.began_at)
        and ended_at < (select min(phase.at) from phase where phase in ('producers-ended', 'calm'))`

/**
 * How long each fault took to recover from: from the end of whatever else came in between, since a fault on top of a
 * fault is not what its target is about; the slowest target of those that came in between holds then. One that recovered
 * too slowly while another was in force, and may have been held up by it, says nothing.
 */
const RECOVERY = /* sql */ `
    with recovered as materialized (${RECOVERED}), other as materialized (
        select fault, began_at, ended_at from fault where fault not in ${CONDITIONS}
    ), alone as (
        select
            recovered.*,
            between_them.last_ended_at,
            greatest(own.target, between_them.target) as target,
            exists (
                select from other
                where other.began_at < recovered.recovered_at and other.ended_at >= recovered.recovered_at
                    and (other.fault, other.began_at) <> (recovered.fault, recovered.began_at)
            ) as is_held_up
        from recovered
        left join recovery_target as own on own.fault = recovered.fault
        cross join lateral (
            select max(other.ended_at) as last_ended_at, max(recovery_target.target) as target
            from other
            left join recovery_target on recovery_target.fault = other.fault
            where other.ended_at > recovered.since and other.ended_at < recovered.recovered_at
        ) as between_them
        where recovered_at is not null
    ), timed as (
        select alone.*, recovered_at - greatest(since, last_ended_at) as took from alone
    ), told as (
        select timed.*, not is_held_up or took <= target as is_telling from timed
    )
    select
        fault, began_at,
        max(recovered_at - since) as took_in_all,
        max(took) filter (where is_telling) as took,
        max(took::float8 / target) filter (where is_telling) as share,
        (array_agg(job_id order by took desc) filter (where is_telling))[1] as job_id
    from told
    group by fault, began_at`

const BY_KIND = /* sql */ `
    select
        recovery.fault, count(took) as num, recovery_target.target / 1000 as target_ms,
        percentile_cont(0.5) within group (order by took) / 1000 as p50_ms,
        percentile_cont(0.99) within group (order by took) / 1000 as p99_ms,
        percentile_cont(0.99) within group (order by share) as p99_share,
        max(took) / 1000.0 as max_ms, max(took_in_all) / 1000.0 as max_in_all_ms,
        (array_agg(job_id order by share desc nulls last))[1] as job_id
    from (${RECOVERY}) as recovery
    left join recovery_target on recovery_target.fault = recovery.fault
    group by recovery.fault, recovery_target.target
    order by recovery.fault`

/** A short campaign has a case or two of each kind, on a machine that others may use: too slow is what no chance explains. */
const SMOKE_SHARE = 3

interface Kind {
    fault: string
    num: string
    target_ms: string | null
    p50_ms: number | null
    p99_ms: number | null
    /** Of the target of each case. */
    p99_share: number | null
    max_ms: string | null
    max_in_all_ms: string
    job_id: string | null
}

export const recovery: Invariant = {
    id: "I22",
    title: "Recovery: after a fault of each kind, work goes on within its target, in 99 of 100 cases",
    appliesTo: EVERYONE,
    check: async (ledger) => {
        const { rows } = await ledger.query<Kind>(BY_KIND)
        const facts = await ledger.query<{ profile: string }>("select profile from facts")
        const share = facts.rows[0]?.profile === "smoke" ? SMOKE_SHARE : 1
        const slow = rows.filter(({ p99_share }) => p99_share !== null && p99_share > share)
        const figures: Record<string, number> = {}
        for (const kind of rows) {
            const { fault, num, p50_ms, p99_ms, max_ms, max_in_all_ms } = kind
            figures[`${fault}_n`] = Number(num)
            const times = { p50_ms, p99_ms, max_ms, max_in_all_ms }
            for (const [name, ms] of Object.entries(times))
                if (ms !== null) figures[`${fault}_${name}`] = Math.round(Number(ms))
        }
        return {
            numExercised: rows.reduce((sum, kind) => sum + Number(kind.num), 0),
            numViolations: slow.length,
            examples: slow.map(({ fault, p99_ms, p99_share, target_ms, job_id }) => ({
                what: `${fault}: p99 ${Math.round(p99_ms ?? 0)} ms, target ${target_ms} ms, ${p99_share?.toFixed(2)} of what holds`,
                jobIDs: job_id === null ? [] : [job_id],
            })),
            figures,
        }
    },
}
