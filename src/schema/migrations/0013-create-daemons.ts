import type { QuotedSchema } from "../../db/identifier.ts"

/**
 * The workers and orchestrators that run, as they tell of themselves, and the limits of definitions: both for those who
 * look on. Nothing that runs jobs reads any of it.
 */
export const createDaemons = {
    version: 13,
    name: "create-daemons",
    statements: (schema: QuotedSchema): string[] => [
        // The id is the daemon's own choice, so that it may write its row again without knowing what became of it.
        /* sql */ `create table ${schema}.daemon (
            id text not null,
            kind text not null check (kind in ('worker', 'orchestrator')),
            name text not null,
            host text not null,
            pid integer not null,
            version text not null,
            channel text,
            concurrency integer,
            num_running integer not null default 0,
            is_stopping boolean not null default false,
            definition_names text[] not null,
            started_at timestamptz not null default clock_timestamp(),
            heartbeat_at timestamptz not null default clock_timestamp(),
            interval_ms double precision not null,
            constraint daemon_pkey primary key (id)
        ) with (fillfactor = 50)`,

        // What holds the jobs of a definition back, as JSON. Null when it has no limits, or none are known.
        /* sql */ `alter table ${schema}.job_definition add column limits jsonb`,
    ],
}
