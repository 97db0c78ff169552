import type { QuotedSchema } from "../../db/identifier.ts"

/** What rate limits and groups rest on. */
export const addRateWindows = {
    version: 4,
    name: "add-rate-windows",
    statements: (schema: QuotedSchema): string[] => [
        /* sql */ `alter table ${schema}.job add column weight integer not null default 1`,
        // What a group's order is kept by: a job that has begun holds its group until it is finalized.
        /* sql */ `create index job_begun_idx on ${schema}.job (definition_id, split_part(lane, chr(31), 1))
            where lane is not null and token > 0 and split_part(lane, chr(31), 1) <> ''`,

        // What was released of a bucket within the last period, and until when it is held. A row is made at the first
        // release, and swept when it says nothing any more.
        /* sql */ `create table ${schema}.rate_window (
            definition_id bigint not null,
            key text collate "C" not null,
            released_at timestamptz[] not null default '{}',
            weights bigint[] not null default '{}',
            held_until timestamptz not null default '-infinity',
            idle_at timestamptz not null,
            constraint rate_window_pkey primary key (definition_id, key)
        ) with (fillfactor = 70)`,
    ],
}
