import type { QuotedSchema } from "../../db/identifier.ts"
import { NUM_HISTORY_SLOTS } from "./0001-create-tables.ts"

/** How many rings there are besides that of jobs that succeed and say nothing of how long they are to be kept. */
export const NUM_RETENTION_RINGS = 3

/** How many partitions each of them goes round in: one is open, one waits until it is old enough, one is next. */
export const NUM_RETENTION_SLOTS = 3

/** The slots of a ring, numbered from 1, behind those that history began with. */
export function retentionSlots(ring: number): number[] {
    const first = NUM_HISTORY_SLOTS + (ring - 1) * NUM_RETENTION_SLOTS
    return Array.from({ length: NUM_RETENTION_SLOTS }, (_, index) => first + index)
}

const RINGS = Array.from({ length: NUM_RETENTION_RINGS }, (_, index) => index + 1)

/**
 * More rings for history: one for dead letters, and one for each span of time that definitions ask for. They have tables
 * of their own for what is open and sealed, since a release that does not know them goes through all that it finds.
 */
export const retention = {
    version: 9,
    name: "retention",
    statements: (schema: QuotedSchema): string[] => [
        ...RINGS.flatMap(retentionSlots).flatMap((slot) => [
            /* sql */ `create table ${schema}.job_history_${slot} partition of ${schema}.job_history for values in (${slot})`,
            /* sql */ `create index job_history_${slot}_failed_idx
                on ${schema}.job_history_${slot} (definition_id, finalized_at, id) where outcome = 'failed'`,
        ]),
        /* sql */ `create table ${schema}.retention_ring (
            ring integer primary key,
            slot integer not null,
            opened_at timestamptz not null
        ) with (fillfactor = 50)`,
        /* sql */ `create table ${schema}.retention_slot (
            slot integer primary key,
            ring integer not null,
            sealed_at timestamptz
        ) with (fillfactor = 50)`,
        ...RINGS.flatMap((ring) => [
            /* sql */ `insert into ${schema}.retention_ring (ring, slot, opened_at)
                values (${ring}, ${retentionSlots(ring)[0]}, clock_timestamp())`,
            ...retentionSlots(ring).map(
                (slot) =>
                    /* sql */ `insert into ${schema}.retention_slot (slot, ring) values (${slot}, ${ring})`,
            ),
        ]),

        // `next_replay_at` is when the next one of those replays is due that have a rate.
        /* sql */ `alter table ${schema}.job_definition
            add column keep_succeeded_ms double precision,
            add column keep_failed_ms double precision,
            add column next_replay_at timestamptz not null default '-infinity'`,
    ],
}
