/** Changes that end a claim. */
const ENDS = "('retried', 'waiting', 'reclaimed', 'succeeded', 'failed', 'deleted')"

/**
 * Every change of a job, with the life that it falls into, from 1, and with the number of its claim: 0 before the first of
 * that life. A life begins when the dead letter of the one before was replayed, and only then: a job that comes back
 * otherwise does so in a life that is over. Of what is not kept, nothing but the end of its row tells of its success.
 */
const STEP = /* sql */ `
create unlogged table step as
select
    seq, xid, at, transaction_at, job_id, key, job_kind, change, token, attempt, owner, reason, due_at, expires_at,
    num_errors, life_no,
    case when count(*) filter (where change = 'claimed') over in_life > 0 then num_claimed else 0 end as claim_no,
    -- A job is only ever put off, so the latest instant that it was given is the greatest.
    max(due_at) over in_life as due
from (
    select
        seq, xid, at, transaction_at, job_id, key, job_kind,
        case when job_kind = 'unkept' and change = 'deleted' then 'succeeded' else change end as change,
        token, attempt, owner, reason, due_at, expires_at, num_errors,
        1 + count(*) filter (where change = 'replayed') over so_far as life_no,
        count(*) filter (where change = 'claimed') over so_far as num_claimed
    from transition
    window so_far as (partition by job_id order by seq)
) as numbered
window in_life as (partition by job_id, life_no order by seq)`

/** From when a job was deferred, or replayed, to its end. */
const JOB_LIFE = /* sql */ `
create unlogged table job_life as
select
    job_id, life_no,
    max(job_kind) as job_kind,
    min(seq) as began_seq,
    min(at) as began_at,
    count(*) filter (where change = 'inserted') as num_insertions,
    count(*) filter (where change in ('succeeded', 'failed')) as num_terminals,
    count(*) filter (where change = 'revived') as num_revivals,
    min(seq) filter (where change in ('succeeded', 'failed')) as terminal_seq,
    min(at) filter (where change in ('succeeded', 'failed')) as terminal_at,
    (array_agg(change order by seq) filter (where change in ('succeeded', 'failed')))[1] as outcome,
    (array_agg(reason order by seq) filter (where change in ('succeeded', 'failed')))[1] as reason,
    (array_agg(num_errors order by seq) filter (where change in ('succeeded', 'failed')))[1] as num_errors,
    min(at) filter (
        where change = 'swept' or (job_kind = 'unkept' and change = 'succeeded')
    ) as swept_at,
    lead(min(at)) over (partition by job_id order by life_no) as next_began_at
from step
group by job_id, life_no`

/** Every job. How it ended is how its last life did. */
const JOB = /* sql */ `
create unlogged table job as
select whole.*, num_terminals, terminal_seq, terminal_at, outcome, reason, swept_at
from (
    select
        job_id,
        max(key) as key,
        max(job_kind) as job_kind,
        min(at) filter (where change = 'inserted') as inserted_at,
        min(transaction_at) filter (where change = 'inserted') as insert_began_at,
        (array_agg(due_at order by seq) filter (where change = 'inserted'))[1] as first_due_at,
        count(*) filter (where change = 'claimed') as num_claims,
        count(*) filter (where change = 'deleted') as num_deletions,
        max(life_no) as num_lives
    from step
    group by job_id
) as whole
join job_life on job_life.job_id = whole.job_id and job_life.life_no = whole.num_lives`

/** Cancellations with the life that each was of: a live row is what a cancellation finds. */
const CANCELLED_LIFE = /* sql */ `
create unlogged table cancelled_life as
select
    cancellation.job_id, cancellation.at, cancellation.was_running,
    (
        select max(life_no) from job_life
        where job_life.job_id = cancellation.job_id and job_life.began_at <= cancellation.at
    ) as life_no
from cancellation`

/** Calls that were to replay, each with its answer: `num` is null where there was none, or an error. */
const REPLAY_TOLD = /* sql */ `
create unlogged table replay_told as
select replay_call.process, call, job_kind, job_id, replay_call.at as asked_at, replay_answer.at as answered_at, num
from replay_call
left join replay_answer using (call)`

/** Who held which lease: its own process where leases are rows of their own, else what the peer wrote on the job. */
const LEASE = /* sql */ `
create unlogged table lease as
select owner, max(worker) as worker from lease_change group by owner`

/**
 * Every claim with what ended it first. `promised_until` is the last promise that was made of its lease when it ended,
 * or null when none is known. A claim that was moved to another lease has the owner that it had last. The next claim is
 * that of the same life.
 */
const CLAIM = /* sql */ `
create unlogged table claim as
with grouped as (
    select
        job_id, claim_no,
        min(life_no) as life_no,
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
    lead(grouped.at) over (partition by job_id, life_no order by claim_no) as next_claim_at
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
select run.*, claim.claim_no, coalesce(claim.life_no, 1) as life_no
from run
left join lateral (
    select claim_no, life_no from claim
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
    JOB_LIFE,
    "create index on job_life (job_id, life_no); analyze job_life",
    JOB,
    "create index on job (job_id); create index on job (key); analyze job",
    CANCELLED_LIFE,
    "create index on cancelled_life (job_id); analyze cancelled_life",
    REPLAY_TOLD,
    "create index on replay_told (job_id); create index on replay (job_id); analyze replay_told; analyze replay",
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
