import { EVERYONE, sqlInvariant } from "../sql-invariant.ts"

export const hostSafety = sqlInvariant({
    id: "I19",
    title: "Host: no process ends by itself, no rejection or exception is left alone, no listener leaks",
    appliesTo: EVERYONE,
    exercised: "select count(*) from process",
    violations: /* sql */ `
        select format('%s ended by itself, with %s', victim, coalesce(signal, code::text, 'nothing')) as what,
            null::text[] as job_ids
        from exit
        where not is_injected
        union all
        select format('%s: %s: %s', process, what, left(detail, 500)), null
        from mishap`,
    figures: /* sql */ `
        select (select count(*) from process) as processes, (select count(*) from exit where is_injected) as ended_by_us`,
})

/** Once the faults are over, connections that were cut on one side take a while to be noticed on the other. */
const SETTLING = 3_000_000

/** What may be without harm, in milliseconds. */
const MAX_IDLE_IN_TRANSACTION_MS = 1_000

const QUIET = /* sql */ `
    select gauge.* from gauge
    join (select max(at) as at from phase where phase = 'calm') as calm on gauge.at > calm.at + ${SETTLING}`

export const hygiene = sqlInvariant({
    id: "I21",
    title: "Hygiene: no transaction left open, no lock, no deadlock, no connection too many, no lease left",
    appliesTo: EVERYONE,
    exercised: `select count(*) from (${QUIET}) as quiet`,
    violations: /* sql */ `
        select format('a transaction idle for %s ms: %s', max(value)::bigint, subject) as what, null::text[] as job_ids
        from (${QUIET}) as quiet
        where name = 'idle-in-transaction-ms' and value > ${MAX_IDLE_IN_TRANSACTION_MS}
            -- A handler that keeps the event loop busy holds up whatever its process was about to send.
            and not exists (
                select from run
                where run.process = quiet.subject and run.job_kind = 'block'
                    and run.started_at < quiet.at and run.ended_at > quiet.at - quiet.value * 1000
            )
        group by subject
        union all
        select format('%s advisory locks left', value), null
        from (select value from gauge where name = 'advisory-locks' order by at desc limit 1) as last
        where value > 0
        union all
        select format('%s deadlocks', max(value) - min(value)), null
        from gauge
        where name = 'deadlocks'
        having max(value) > min(value)
        union all
        select format('%s had %s connections', subject, max(value)), null
        from gauge
        cross join facts
        where name = 'connections' and subject in (select process from process)
        group by subject, facts.max_connections
        -- One more to listen on.
        having max(value) > facts.max_connections + 1
        union all
        select format('lease %s of %s was never removed', owner, max(worker)), null
        from lease_change
        cross join facts
        cross join (select max(at) as at from phase where phase = 'end') as ending
        group by owner, ending.at, facts.lease, facts.clean_interval
        having bool_and(change <> 'deleted')
            and max(expires_at) < ending.at - facts.lease - facts.clean_interval - ${SETTLING}`,
    figures: /* sql */ `
        select
            max(value) filter (where name = 'idle-in-transaction-ms') as longest_idle_in_transaction_ms,
            max(value) filter (where name = 'deadlocks') as deadlocks,
            max(value) filter (where name = 'notification-queue') as notification_queue
        from gauge`,
})
