import type { QuotedSchema } from "../../db/identifier.ts"

/** A request to cancel a job that runs, for its worker to see; and what is paused. */
export const addCancelAndPause = {
    version: 3,
    name: "add-cancel-and-pause",
    statements: (schema: QuotedSchema): string[] => [
        /* sql */ `alter table ${schema}.job add column cancelled_at timestamptz, add column cancel_reason text`,
        // Empty but for moments, so that to look at it costs a worker next to nothing.
        /* sql */ `create index job_cancelled_idx on ${schema}.job (lease_id)
            where state = 'running' and cancelled_at is not null`,

        // By name, so that a definition may be paused before it is written down. `name` is empty for everything.
        /* sql */ `create table ${schema}.pause (
            scope text not null,
            name text not null,
            reason text,
            paused_at timestamptz not null default clock_timestamp(),
            constraint pause_pkey primary key (scope, name)
        )`,
    ],
}
