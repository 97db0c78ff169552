import { HANGING, OURS, sqlInvariant } from "../sql-invariant.ts"

/**
 * Beyond due + timeout: a running job is left to its worker, whose event loop a job may block, for five seconds. Then
 * the orchestrator looks once a clean interval, and a statement of its that hangs is given up after ten seconds. Two
 * seconds for the machine.
 */
const SLACK = 17_000_000

/** While connections are dead one after the other, or who could end the job is frozen, nobody can be blamed. */
const HINDRANCES = "('silent-connections', 'suspend-process', 'suspend-worker')"

export const timeouts = sqlInvariant({
    id: "I15",
    title: "Timeouts: nothing times out early, and what never settles is ended soon",
    appliesTo: OURS,
    exercised: `select count(*) from job where reason = 'timeout' or job_kind in ${HANGING}`,
    violations: /* sql */ `
        select
            format('timed out %s ms early',
                round((first_due_at + facts.timeout_interval - terminal_at) / 1000.0, 1)) as what,
            array[job_id] as job_ids
        from job
        cross join facts
        where reason = 'timeout' and terminal_at < first_due_at + facts.timeout_interval
        union all
        select 'never settles, and ended as ' || outcome || coalesce(' for ' || reason, ''), array[job_id]
        from job
        where job_kind in ${HANGING} and outcome = 'succeeded'
        union all
        select
            format('ended %s ms after its timeout',
                (terminal_at - first_due_at - facts.timeout_interval) / 1000),
            array[job_id]
        from job
        cross join facts
        where job_kind in ${HANGING}
            and terminal_at > facts.clean_interval + ${SLACK} + greatest(
                first_due_at + facts.timeout_interval,
                (
                    select max(outage.ended_at) from outage
                    where outage.ended_at < job.terminal_at and outage.ended_at > first_due_at
                )
            )
            and not exists (
                select from fault
                where fault in ${HINDRANCES}
                    and began_at < terminal_at and ended_at > first_due_at + facts.timeout_interval
            )`,
    figures: /* sql */ `
        select max(terminal_at - first_due_at - facts.timeout_interval) / 1000 as latest_ms
        from job cross join facts
        where job_kind in ${HANGING}`,
})
