import type { QuotedSchema } from "../../db/identifier.ts"

/** How many partitions history goes round in. */
export const NUM_HISTORY_SLOTS = 12

/**
 * Live jobs are one small hot table; finalized ones move to history. There are no foreign keys and no triggers:
 * integrity comes from the statements.
 */
export const createTables = {
    version: 1,
    name: "create-tables",
    statements: (schema: QuotedSchema): string[] => [
        /* sql */ `create type ${schema}.job_state as enum
            ('ready', 'delayed', 'blocked', 'running', 'unmet', 'exhausted')`,
        /* sql */ `create type ${schema}.job_outcome as enum ('succeeded', 'failed')`,
        /* sql */ `create sequence ${schema}.job_sequence as bigint`,

        // One row per kind of job. `retired_by` is the transaction that found it stale: a row is deleted only when
        // no transaction that could have seen it unretired is left.
        /* sql */ `create table ${schema}.job_definition (
            id bigint generated always as identity primary key,
            name text not null,
            channel text not null,
            num_attempts integer not null,
            timeout_interval_ms double precision not null,
            lock_interval_ms double precision not null,
            release_interval_ms double precision not null,
            repeat_interval_ms double precision,
            next_repeat_at timestamptz,
            next_release_at timestamptz not null default '-infinity',
            heartbeat_at timestamptz not null default statement_timestamp(),
            created_at timestamptz not null default statement_timestamp(),
            retired_at timestamptz,
            retired_by xid8,
            constraint job_definition_name_key unique (name)
        ) with (fillfactor = 50)`,

        // `position` is the place in the definition's lane: a job that comes back gets a new one, so that a claim
        // may start after the last position it saw. `token` goes up by one with every claim and fences its writes.
        /* sql */ `create table ${schema}.job (
            id bigint not null,
            position bigint not null,
            definition_id bigint not null,
            lease_id bigint,
            created_at timestamptz not null,
            due_at timestamptz not null,
            expires_at timestamptz not null,
            claimed_at timestamptz,
            token integer not null default 0,
            attempt integer not null default 0,
            num_attempts integer not null,
            num_blockers integer not null default 0,
            priority integer not null default 0,
            state ${schema}.job_state not null,
            has_dependents boolean not null default false,
            payload json not null,
            errors jsonb,
            constraint job_pkey primary key (id)
        ) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.2)`,
        /* sql */ `create index job_ready_idx on ${schema}.job (definition_id, priority, position) where state = 'ready'`,
        /* sql */ `create index job_delayed_idx on ${schema}.job (due_at, id) where state = 'delayed'`,
        /* sql */ `create index job_running_idx on ${schema}.job (lease_id) where state = 'running'`,
        /* sql */ `create index job_doomed_idx on ${schema}.job (id) where state in ('unmet', 'exhausted')`,

        // An edge lives until the required job is finalized.
        /* sql */ `create table ${schema}.job_dependency (
            required_id bigint not null,
            dependent_id bigint not null,
            constraint job_dependency_pkey primary key (required_id, dependent_id)
        )`,
        /* sql */ `create index job_dependency_dependent_idx on ${schema}.job_dependency (dependent_id)`,

        // A worker's hold on the jobs it runs: one row to renew, however many they are.
        /* sql */ `create table ${schema}.lease (
            id bigint generated always as identity primary key,
            worker text not null,
            interval_ms double precision not null,
            created_at timestamptz not null default clock_timestamp(),
            expires_at timestamptz not null,
            revoked_by xid8
        ) with (fillfactor = 50)`,

        /* sql */ `create table ${schema}.job_history (
            id bigint not null,
            definition_id bigint not null,
            created_at timestamptz not null,
            due_at timestamptz not null,
            claimed_at timestamptz,
            finalized_at timestamptz not null,
            slot integer not null,
            token integer not null,
            attempt integer not null,
            priority integer not null,
            outcome ${schema}.job_outcome not null,
            reason text,
            worker text,
            payload json not null,
            result json,
            errors jsonb
        ) partition by list (slot)`,
        ...Array.from(
            { length: NUM_HISTORY_SLOTS },
            (_, slot) =>
                /* sql */ `create table ${schema}.job_history_${slot} partition of ${schema}.job_history for values in (${slot})`,
        ),
        /* sql */ `create index job_history_id_idx on ${schema}.job_history (id)`,

        // The slot that jobs are finalized into now; the others are sealed, and emptied whole when they are old enough.
        /* sql */ `create table ${schema}.history_ring (
            is_only_row boolean primary key default true check (is_only_row),
            slot integer not null,
            opened_at timestamptz not null
        ) with (fillfactor = 50)`,
        /* sql */ `insert into ${schema}.history_ring (slot, opened_at) values (0, clock_timestamp())`,
        /* sql */ `create table ${schema}.history_slot (
            slot integer primary key,
            sealed_at timestamptz
        ) with (fillfactor = 50)`,
        /* sql */ `insert into ${schema}.history_slot (slot) select generate_series(0, ${NUM_HISTORY_SLOTS - 1})`,
    ],
}
