/**
 * The other half of the evidence: what really happened to the jobs. Triggers that only a campaign installs write each
 * change of a job's row to this table, in the transaction that makes the change, so it does not trust the library.
 */

export const CHANGES = [
    /** Exists now. */
    "inserted",
    /** A worker took it to run it. */
    "claimed",
    /** Its lease (or what the peer has) was renewed, if that is written on the job. */
    "renewed",
    /** It waits to be run again after a failed attempt. */
    "retried",
    /** It was handed back unrun, or moved from one waiting state to another. */
    "waiting",
    /** It was taken from a worker that went silent. */
    "reclaimed",
    /** It ended, for good. */
    "succeeded",
    "failed",
    /** Its finished remains were removed. */
    "swept",
    /** It was removed unfinished. */
    "deleted",
    /** Its finished remains became a job again, whose next life begins. */
    "replayed",
    /** Its finished remains became something else in their place: never right. */
    "revived",
] as const

export type Change = (typeof CHANGES)[number]

/** One row of `chaos.transition`, in the server under test and, copied, in the ledger. */
export interface Transition {
    /** In the order of the triggers: for one job that is the order of its changes. */
    seq: string
    xid: string
    /** The database's clock when the row changed, and when the transaction began. */
    at: Date
    transaction_at: Date
    job_id: string
    key: string | null
    job_kind: string | null
    change: Change
    token: string | null
    attempt: number | null
    /** Which worker, or which lease. */
    owner: string | null
    /** Why it failed. */
    reason: string | null
    due_at: Date | null
    expires_at: Date | null
    /** How many errors of its attempts were kept with it when it ended. */
    num_errors: number | null
}

/** The table, made in the schema "chaos" of the server under test before the peer's triggers. */
export const TRANSITION_TABLE = /* sql */ `
create schema if not exists chaos;
create table chaos.transition (
    seq bigint generated always as identity,
    xid xid8 not null default pg_current_xact_id(),
    at timestamptz not null default clock_timestamp(),
    transaction_at timestamptz not null default now(),
    job_id text not null,
    key text,
    job_kind text,
    change text not null,
    token text,
    attempt integer,
    owner text,
    reason text,
    due_at timestamptz,
    expires_at timestamptz,
    num_errors integer
);
-- Leases that are kept apart from jobs: every state that each was in.
create table chaos.lease_change (
    seq bigint generated always as identity,
    xid xid8 not null default pg_current_xact_id(),
    at timestamptz not null default clock_timestamp(),
    owner text not null,
    worker text,
    change text not null, -- opened, renewed, revoked, ended, deleted
    expires_at timestamptz
);
-- What jobs that complete in a transaction of their own wrote in it.
create table chaos.effect (
    seq bigint generated always as identity,
    at timestamptz not null default clock_timestamp(),
    key text not null,
    job_id text not null,
    token text
);
-- Jobs that were cancelled, in whatever state they were.
create table chaos.cancellation (
    seq bigint generated always as identity,
    at timestamptz not null default clock_timestamp(),
    job_id text not null,
    was_running boolean not null
);
-- Dead letters that were deleted by themselves: whether a job came of each, and how it compares with the letter.
create table chaos.replay (
    seq bigint generated always as identity,
    xid xid8 not null default pg_current_xact_id(),
    at timestamptz not null default clock_timestamp(),
    process text not null default current_setting('application_name'),
    job_id text not null,
    is_live boolean not null,
    has_payload boolean,
    has_errors boolean,
    letter_token integer not null,
    token integer,
    attempt integer
);
-- What was paused, and what no longer is.
create table chaos.pause_change (
    seq bigint generated always as identity,
    at timestamptz not null default clock_timestamp(),
    name text not null,
    change text not null -- paused, resumed
);
-- Definitions (queues): repeats due, retirement.
create table chaos.definition_change (
    seq bigint generated always as identity,
    xid xid8 not null default pg_current_xact_id(),
    at timestamptz not null default clock_timestamp(),
    name text not null,
    change text not null, -- inserted, ticked, released, retired, revived, deleted
    detail jsonb
);
`
