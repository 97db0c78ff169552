import type { QuotedSchema } from "../../db/identifier.ts"

/**
 * Which job has a key, and for how long. Nobody frees a key: it is free when the job that it names is taken or
 * finalized, or the time is over, and whoever wants it then takes it. So claims and ends of jobs know nothing of keys.
 * `taken_from` is the job that had the key before.
 */
export const createUniqueKeys = {
    version: 6,
    name: "create-unique-keys",
    statements: (schema: QuotedSchema): string[] => [
        /* sql */ `create table ${schema}.unique_key (
            definition_id bigint not null,
            key text collate pg_catalog."C" not null,
            job_id bigint not null,
            taken_from bigint,
            held_while text not null check (held_while in ('queued', 'unfinalized', 'time')),
            held_until timestamptz,
            constraint unique_key_pkey primary key (definition_id, key)
        ) with (fillfactor = 70)`,
    ],
}
