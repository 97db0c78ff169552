import type { QuotedSchema } from "../../db/identifier.ts"

/**
 * Says of a job that it counts: among what runs of its definition and keys, and as what holds its ordered group. The claim
 * says so where there is something to count. To infer it from what every job in a lane has put all of them into both
 * indexes, also those that only take turns, and the keys of groups lie all over them.
 */
export const countedJobs = {
    version: 11,
    name: "counted-jobs",
    statements: (schema: QuotedSchema): string[] => [
        /* sql */ `alter table ${schema}.job add column is_counted boolean not null default false`,
        /* sql */ `update ${schema}.job set is_counted = true where lane is not null and claimed_at is not null`,
        /* sql */ `drop index ${schema}.job_begun_idx`,
        /* sql */ `drop index ${schema}.job_gated_running_idx`,
        /* sql */ `create index job_begun_idx on ${schema}.job (definition_id, split_part(lane, chr(31), 1))
            where is_counted and split_part(lane, chr(31), 1) <> ''`,
        /* sql */ `create index job_gated_running_idx
            on ${schema}.job (definition_id, split_part(lane, chr(31), 2), claimed_at)
            where state = 'running' and is_counted`,
        // Said otherwise than in \`job_ready_idx\`, so that what asks for lanes in these words can only go by lanes: where
        // statistics are wrong, the planner went through all ready jobs of a definition in the other one.
        /* sql */ `drop index ${schema}.job_gated_idx`,
        /* sql */ `create index job_gated_idx on ${schema}.job (definition_id, lane, priority, position)
            where coalesce(state = 'ready', false) and lane is not null`,
    ],
}
