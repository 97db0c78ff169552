import type { QuotedSchema } from "../../db/identifier.ts"

/** What a job has of its own; null where its definition says. The number of its attempts it always had. */
export const jobLimits = {
    version: 8,
    name: "job-limits",
    statements: (schema: QuotedSchema): string[] => [
        /* sql */ `alter table ${schema}.job
            add column timeout_interval_ms double precision,
            add column attempt_timeout_ms double precision`,
    ],
}
