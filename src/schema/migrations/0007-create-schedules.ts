import type { QuotedSchema } from "../../db/identifier.ts"

/**
 * Cron expressions and rules for ticks, for definitions that repeat and for schedules made at run time. Both have the
 * columns that one statement fires by. `repeat_job_ids` are the jobs that may hold up the next one. Processes of the
 * release before go on repeating definitions by their interval.
 */
export const createSchedules = {
    version: 7,
    name: "create-schedules",
    statements: (schema: QuotedSchema): string[] => [
        /* sql */ `alter table ${schema}.job_definition
            add column repeat_cron text,
            add column repeat_time_zone text,
            add column on_missed text not null default 'once',
            add column on_overlap text not null default 'queue',
            add column repeat_job_ids bigint[] not null default '{}'`,
        /* sql */ `create table ${schema}.schedule (
            id bigint generated always as identity primary key,
            name text not null,
            definition_id bigint not null,
            payload json not null,
            repeat_interval_ms double precision,
            repeat_cron text,
            repeat_time_zone text,
            on_missed text not null,
            on_overlap text not null,
            next_repeat_at timestamptz not null,
            repeat_job_ids bigint[] not null default '{}',
            paused_at timestamptz,
            created_at timestamptz not null default statement_timestamp(),
            updated_at timestamptz not null default statement_timestamp(),
            constraint schedule_name_key unique (name),
            constraint schedule_rule_check check ((repeat_interval_ms is null) <> (repeat_cron is null))
        ) with (fillfactor = 50)`,
        /* sql */ `create index schedule_next_idx on ${schema}.schedule (next_repeat_at) where paused_at is null`,
        /* sql */ `create index schedule_definition_idx on ${schema}.schedule (definition_id)`,
        // When a job was due first, where a retry or a snooze has put it off since. Null is the same as \`due_at\`.
        /* sql */ `alter table ${schema}.job add column first_due_at timestamptz`,
    ],
}
