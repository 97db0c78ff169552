import type { QuotedSchema } from "../../db/identifier.ts"

/**
 * Says of a job that it holds its group, rather than to infer it from what every job of a group has: the index of those
 * that do was written at every claim of a group, whose keys are all over it, and only ordered groups ask.
 */
export const begunJobs = {
    version: 11,
    name: "begun-jobs",
    statements: (schema: QuotedSchema): string[] => [
        /* sql */ `alter table ${schema}.job add column is_begun boolean not null default false`,
        /* sql */ `update ${schema}.job set is_begun = true where lane is not null and claimed_at is not null`,
        /* sql */ `drop index ${schema}.job_begun_idx`,
        /* sql */ `create index job_begun_idx on ${schema}.job (definition_id, split_part(lane, chr(31), 1))
            where is_begun`,
    ],
}
