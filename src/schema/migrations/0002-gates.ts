import type { QuotedSchema } from "../../db/identifier.ts"

/** What limits of definitions rest on. Nothing of it is in the way of definitions that have none. */
export const gates = {
    version: 2,
    name: "gates",
    statements: (schema: QuotedSchema): string[] => [
        // The keys of a job whose definition is gated, joined: the lane that it waits in. Compared byte by byte, so
        // that the lanes of one group stand together, and the same everywhere.
        /* sql */ `alter table ${schema}.job add column lane text collate "C"`,
        // Lane by lane, so that a claim finds the next lane with a ready job by one descent, however many stand in it.
        /* sql */ `create index job_gated_idx on ${schema}.job (definition_id, lane, priority, position)
            where state = 'ready' and lane is not null`,
        // What runs of a definition and of each of its keys. With the instant, a count can begin after the remains of
        // what has ended.
        /* sql */ `create index job_gated_running_idx on ${schema}.job (definition_id, split_part(lane, chr(31), 2), claimed_at)
            where state = 'running' and lane is not null`,

        // Claims of a definition that count under the same bucket come one after the other: each raises the version of
        // the slots that its buckets are in. They are made when a worker first sees the definition.
        /* sql */ `create table ${schema}.gate (
            definition_id bigint not null,
            slot integer not null,
            version bigint not null default 0,
            constraint gate_pkey primary key (definition_id, slot)
        ) with (fillfactor = 50)`,
    ],
}
