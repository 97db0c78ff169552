import type { QuotedSchema } from "../../db/identifier.ts"

/**
 * The priorities that jobs of a definition were ever given, so that a claim knows every lane there is. That of zero is
 * always one and is not written down, so where nobody uses priorities the table is empty.
 */
export const addPriorities = {
    version: 5,
    name: "add-priorities",
    statements: (schema: QuotedSchema): string[] => [
        /* sql */ `alter table ${schema}.job_definition add column priority integer not null default 0`,
        /* sql */ `create table ${schema}.job_priority (
            definition_id bigint not null,
            priority integer not null,
            constraint job_priority_pkey primary key (definition_id, priority)
        )`,
    ],
}
