import type { QuotedSchema } from "../../db/identifier.ts"

/**
 * What people did to the queue, and what is being done for them: a row is a record of the audit log, and one that has not
 * ended is work of the orchestrators, with the place that it has come to.
 */
export const createOperations = {
    version: 14,
    name: "create-operations",
    statements: (schema: QuotedSchema): string[] => [
        /* sql */ `create table ${schema}.operation (
            id bigint generated always as identity primary key,
            kind text not null,
            asked_by text,
            asked_at timestamptz not null default clock_timestamp(),
            target jsonb not null,
            details jsonb not null,
            state text not null check (state in ('waiting', 'running', 'done', 'cancelled', 'failed')),
            num_looked_at bigint not null default 0,
            num_done bigint not null default 0,
            num_skipped bigint not null default 0,
            num_expected bigint,
            after_id bigint not null default 0,
            held_by text,
            held_until timestamptz,
            started_at timestamptz,
            ended_at timestamptz,
            cancelled_by text,
            error text
        ) with (fillfactor = 70)`,
        // Empty but for moments, so that to look for work costs an orchestrator next to nothing.
        /* sql */ `create index operation_unended_idx on ${schema}.operation (id) where state in ('waiting', 'running')`,

        // What a job of a definition needs that only the code of the definition can say; see \`Deferral\`. Null where it was
        // written down by a release that did not say.
        /* sql */ `alter table ${schema}.job_definition add column deferral jsonb`,
    ],
}
