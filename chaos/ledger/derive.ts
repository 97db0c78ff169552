/** Changes that end a claim. */
const ENDS = "('retried', 'waiting', 'reclaimed', 'succeeded', 'failed', 'deleted')"

/** Every change of a job, with the number of the claim that it falls into: 0 before the first. */
const STEP = /* sql */ `
create unlogged table step as
select
    transition.*,
    count(*) filter (where change = 'claimed') over so_far as claim_no,
    -- A job is only ever put off, so the latest instant that it was given is the greatest.
    max(due_at) over so_far as due
from transition
window so_far as (partition by job_id order by seq)`

const JOB = /* sql */ `
create unlogged table job as
select
    job_id,
    max(key) as key,
    max(job_kind) as job_kind,
    min(at) filter (where change = 'inserted') as inserted_at,
    min(transaction_at) filter (where change = 'inserted') as insert_began_at,
    min(due_at) filter (where change = 'inserted') as first_due_at,
    count(*) filter (where change = 'claimed') as num_claims,
    count(*) filter (where change in ('succeeded', 'failed')) as num_terminals,
    count(*) filter (where change = 'revived') as num_revivals,
    count(*) filter (where change = 'deleted') as num_deletions,
    min(seq) filter (where change in ('succeeded', 'failed')) as terminal_seq,
    min(at) filter (where change in ('succeeded', 'failed')) as terminal_at,
    (array_agg(change order by seq) filter (where change in ('succeeded', 'failed')))[1] as outcome,
    (array_agg(reason order by seq) filter (where change in ('succeeded', 'failed')))[1] as reason,
    min(at) filter (where change = 'swept') as swept_at
from step
group by job_id`

/** Who held which lease: its own process where leases are rows of their own, else what the peer wrote on the job. */
const LEASE = /* sql */ `
create unlogged table lease as
select owner, max(worker) as worker from lease_change group by owner`

/**
 * Every claim with what ended it first. `promised_until` is the last promise that was made of its lease when it ended,
 * or null when none is known. A claim that was moved to another lease has the owner that it had last.
 */
const CLAIM = /* sql */ `
create unlogged table claim as
with grouped as (
    select
        job_id, claim_no,
        max(job_kind) as job_kind,
        min(seq) as seq, min(at) as at, min(transaction_at) as began_at, min(xid) as xid,
        (array_agg(token order by seq))[1] as token,
        (array_agg(attempt order by seq))[1] as attempt,
        (array_agg(owner order by seq))[1] as first_owner,
        (array_agg(owner order by seq desc) filter (where change in ('claimed', 'renewed')))[1] as owner,
        (array_agg(due order by seq))[1] as due,
        max(expires_at) filter (where change in ('claimed', 'renewed')) as job_expires_at,
        min(seq) filter (where change in ${ENDS}) as end_seq,
        (array_agg(at order by seq) filter (where change in ${ENDS}))[1] as ended_at,
        (array_agg(change order by seq) filter (where change in ${ENDS}))[1] as ending,
        (array_agg(reason order by seq) filter (where change in ${ENDS}))[1] as end_reason,
        (array_agg(owner order by seq) filter (where change in ${ENDS}))[1] as settled_by
    from step
    where claim_no > 0
    group by job_id, claim_no
)
select
    grouped.*,
    coalesce(lease.worker, grouped.first_owner) as process,
    lead(grouped.at) over (partition by job_id order by claim_no) as next_claim_at
from grouped
left join lease on lease.owner = grouped.first_owner`

/** Every process, from its first record to its end. */
const PROCESS = /* sql */ `
create unlogged table process as
select
    process,
    max(role) as role,
    min(at) filter (where kind = 'started') as started_at,
    min(at) filter (where kind = 'stopping') as stopping_at,
    min(at) filter (where kind = 'stopped') as stopped_at,
    max(took) filter (where kind = 'stopped') as took,
    max(grace) filter (where kind = 'stopped') as grace,
    (select min(exit.at) from exit where exit.victim = life.process) as exited_at
from life
group by process`

/** Every run of a handler. One that has no end of its own ended with its process. */
const RUN = /* sql */ `
create unlogged table run as
with mark as (
    select 0 as turn, at, process, job_id, attempt, key, job_kind, token, null as outcome from run_start
    union all
    select 1, at, process, job_id, attempt, null, null, null, outcome from run_end
), paired as (
    select
        mark.*,
        lead(turn) over nearby as next_turn, lead(at) over nearby as next_at, lead(outcome) over nearby as next_outcome
    from mark
    window nearby as (partition by process, job_id, attempt order by at, turn desc)
)
select
    row_number() over (order by paired.at) as run_no,
    paired.at as started_at, paired.process, paired.job_id, paired.attempt, paired.key, paired.job_kind, paired.token,
    case when next_turn = 1 then next_at else process.exited_at end as ended_at,
    case when next_turn = 1 then next_outcome when process.exited_at is not null then 'died' end as outcome
from paired
left join process on process.process = paired.process
where turn = 0`

/**
 * The claim that a run belongs to: by its token. A peer without tokens, or a release of ours that does not tell them,
 * leaves its attempt, which is the same again when a claim was handed back, and the time: then it is the latest claim
 * of the process, or of any, that was there when the run began.
 */
const RUN_CLAIM = /* sql */ `
create unlogged table run_claim as
select run.*, claim.claim_no
from run
left join lateral (
    select claim_no from claim
    where claim.job_id = run.job_id
        and case
            when run.token is not null then claim.token = run.token
            else claim.at <= run.started_at + 5000
        end
    order by claim.attempt = run.attempt desc, claim.process = run.process desc, claim_no desc
    limit 1
) as claim on true`

/** Times in which nothing could be done, those that overlap put together. */
const OUTAGE = /* sql */ `
create unlogged table outage as
with ordered as (
    select
        began_at, ended_at,
        max(ended_at) over (order by began_at, ended_at rows between unbounded preceding and 1 preceding) as so_far
    from fault
    where is_outage
), island as (
    select began_at, ended_at, count(*) filter (where so_far is null or began_at > so_far)
        over (order by began_at, ended_at) as island_no
    from ordered
)
select min(began_at) as began_at, max(ended_at) as ended_at from island group by island_no`

/** Which processes a fault hit, if it was one of processes. Conditions that a process lives under are not. */
const VICTIM = /* sql */ `
create unlogged table victim as
select fault.fault, fault.began_at, fault.ended_at, hit.process
from fault
cross join lateral regexp_split_to_table(fault.target || ' ' || coalesce(fault.detail, ''), '[ ,]+') as hit(process)
where fault.fault not in ('clock-shift', 'time-zone') and hit.process in (select process from process)`

/** In the order in which they need each other. */
export const DERIVED_TABLES = [
    "create index on transition (job_id, seq); analyze transition",
    "create index on lease_change (owner, seq); analyze lease_change",
    "analyze fault; analyze life; analyze exit; analyze event; analyze effect; analyze definition_change; analyze phase",
    "create index on cancellation (job_id); create index on cancelled (job_id); analyze cancellation; analyze cancelled",
    "create index on event (job_id); create index on run_end (job_id); create index on intent (key)",
    "create index on acked (key); create index on effect (job_id); analyze intent; analyze acked; analyze run_start; analyze run_end",
    STEP,
    "create index on step (job_id, seq); create index on step (at) where change = 'claimed'; analyze step",
    JOB,
    "create index on job (job_id); create index on job (key); analyze job",
    LEASE,
    "create index on lease (owner); analyze lease",
    CLAIM,
    "create index on claim (job_id, claim_no); create index on claim (at); create index on claim (process); analyze claim",
    PROCESS,
    "create index on process (process); analyze process",
    RUN,
    "create index on run (job_id); analyze run",
    RUN_CLAIM,
    "create index on run_claim (job_id, claim_no); create index on run_claim (process, started_at); analyze run_claim",
    OUTAGE,
    VICTIM,
    "analyze outage; analyze victim",
]
