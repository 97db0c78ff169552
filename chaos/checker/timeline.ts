import type pg from "pg"

const MAX_LINES = 80

/** All that the ledger knows of a job, in the order of time, with the faults that overlapped it. */
const TIMELINE = /* sql */ `
with span as (
    select min(at) as began_at, max(at) as ended_at from (
        select at from transition where job_id = $1
        union all select at from run_start where job_id = $1
        union all select at from run_end where job_id = $1
        union all select at from acked where job_id = $1
    ) as mark
), line as (
    select intent.at, intent.process as who, 'intent ' || intent.form || coalesce(' requires ' || cardinality(requires), '') as what
    from intent join job on job.key = intent.key where job.job_id = $1
    union all
    select acked.at, acked.process, 'acknowledged' from acked where job_id = $1
    union all
    select at, 'database', concat_ws(' ', 'job', upper(change), 'token ' || token, 'attempt ' || attempt,
        'owner ' || owner, 'reason ' || reason, 'xid ' || xid)
    from transition where job_id = $1
    union all
    select lease_change.at, 'database', concat_ws(' ', 'lease', owner, 'of', worker, change,
        'until ' || ((lease_change.expires_at - span.began_at) / 1000.0)::numeric(12, 1))
    from lease_change cross join span
    where owner in (select owner from transition where job_id = $1 and owner is not null)
        and lease_change.at between span.began_at - 3000000 and span.ended_at + 1000000
    union all
    select at, process, concat_ws(' ', 'run starts, attempt', attempt::text, 'token ' || token) from run_start where job_id = $1
    union all
    select at, process, concat_ws(' ', 'run ends:', outcome, reason) from run_end where job_id = $1
    union all
    select at, process, concat_ws(' ', 'tells', type, left(detail, 200)) from event where job_id = $1
    union all
    select effect.at, 'database', 'effect' from effect where job_id = $1
    union all
    select exit.at, exit.victim, concat_ws(' ', 'exits', signal, code::text) from exit cross join span
    where victim in (select process from run_start where job_id = $1)
        and exit.at between span.began_at and span.ended_at + 1000000
    union all
    select life.at, life.process, life.kind from life cross join span
    where process in (select process from run_start where job_id = $1)
        and life.at between span.began_at and span.ended_at + 1000000
    union all
    select fault.began_at, 'fault', concat_ws(' ', fault.fault, target, detail, 'for',
        ((fault.ended_at - fault.began_at) / 1000.0)::numeric(12, 1), 'ms')
    from fault cross join span
    where fault.began_at < span.ended_at and fault.ended_at > span.began_at
)
select coalesce((line.at - span.began_at) / 1000.0, 0)::numeric(12, 1) as ms, who, what
from line cross join span
order by line.at
limit ${MAX_LINES}`

/** A job's history as lines of text: milliseconds since its first change, who, and what. */
export async function timelineOf(ledger: pg.Client | pg.Pool, jobID: string): Promise<string[]> {
    const { rows } = await ledger.query<{ ms: string; who: string; what: string }>(TIMELINE, [jobID])
    return rows.map(({ ms, who, what }) => `${ms.padStart(12)} ms  ${who.padEnd(16)} ${what}`)
}

/** The job among these whose timeline is the shortest: the easiest to read. */
export async function shortestTimeline(
    ledger: pg.Client | pg.Pool,
    jobIDs: readonly string[],
): Promise<{ jobID: string; lines: string[] } | undefined> {
    let shortest: { jobID: string; lines: string[] } | undefined
    for (const jobID of new Set(jobIDs)) {
        const lines = await timelineOf(ledger, jobID)
        if (shortest === undefined || lines.length < shortest.lines.length) shortest = { jobID, lines }
    }
    return shortest
}
