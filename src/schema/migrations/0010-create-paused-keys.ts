import type { QuotedSchema } from "../../db/identifier.ts"

/**
 * The keys that are paused, each of a definition, by its name: like the definition, it may be paused before it is
 * written down. Beside `pause` rather than in it, for a claim asks about each lane that it comes to.
 */
export const createPausedKeys = {
    version: 10,
    name: "create-paused-keys",
    statements: (schema: QuotedSchema): string[] => [
        /* sql */ `create table ${schema}.paused_key (
            definition text not null,
            key text collate pg_catalog."C" not null,
            reason text,
            paused_at timestamptz not null default clock_timestamp(),
            constraint paused_key_pkey primary key (definition, key)
        )`,
    ],
}
