import type { QuotedSchema } from "../../db/identifier.ts"

/** What job functions say of their runs. Nothing that runs jobs reads any of it. */
export const createJobLogs = {
    version: 15,
    name: "create-job-logs",
    statements: (schema: QuotedSchema): string[] => [
        // Named by the claim and its number within that, so that a line which may be there already is written again
        // without being there twice, and what a run says that has lost its job stands before what the next one says.
        /* sql */ `create table ${schema}.job_log (
            job_id bigint not null,
            token bigint not null,
            number bigint not null,
            attempt integer not null,
            at timestamptz not null,
            message text not null,
            constraint job_log_pkey primary key (job_id, token, number)
        )`,

        // As JSON that is not looked into: what it holds is for people.
        /* sql */ `create table ${schema}.job_progress (
            job_id bigint not null,
            token bigint not null,
            progress json not null,
            constraint job_progress_pkey primary key (job_id)
        ) with (fillfactor = 50)`,
    ],
}
