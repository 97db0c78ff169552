import { statementText } from "../db/identifier.ts"
import { NUM_HISTORY_SLOTS } from "../schema/migrations/0001-create-tables.ts"
import type { Query } from "./query.ts"

const openText = statementText(
    (schema) => /* sql */ `-- cuckmq: lock-history-ring
select slot, date_part('epoch', clock_timestamp() - opened_at) * 1000::double precision from ${schema}.history_ring for update skip locked`,
)

/** Locks the ring for this transaction. Undefined when another session has it. */
export async function lockHistoryRing({
    run,
    schema,
}: Query): Promise<{ slot: number; openForMs: number } | undefined> {
    const [row] = await run(openText(schema), [])
    return row === undefined ? undefined : { slot: Number(row[0]), openForMs: Number(row[1]) }
}

const sealedText = statementText(
    (schema) => /* sql */ `-- cuckmq: select-aged-slots
select slot from ${schema}.history_slot
where slot <> (select slot from ${schema}.history_ring)
    and sealed_at < clock_timestamp() - $1::double precision * interval '1 ms'
order by slot`,
)

/** The slots that were sealed longer ago than the threshold. */
export async function selectAgedSlots({
    run,
    schema,
    thresholdMs,
}: Query & { thresholdMs: number }): Promise<number[]> {
    return (await run(sealedText(schema), [thresholdMs])).map(([slot]) => Number(slot))
}

const sealText = statementText(
    (schema) => /* sql */ `-- cuckmq: seal-history-slot
with sealed as (
    update ${schema}.history_slot set sealed_at = clock_timestamp() where slot = $1
)
update ${schema}.history_ring set slot = $2, opened_at = clock_timestamp()`,
)

/** Seals a slot and opens another. */
export async function openNextSlot({
    run,
    schema,
    openSlot,
    nextSlot,
}: Query & { openSlot: number; nextSlot: number }): Promise<void> {
    await run(sealText(schema), [openSlot, nextSlot])
}

/**
 * How long a slot stays open, so that finalized jobs are kept for the threshold: two slots less than there are, for
 * the one that is open and the one that is being emptied.
 */
export function openIntervalMs(thresholdMs: number): number {
    return thresholdMs / (NUM_HISTORY_SLOTS - 2)
}

/** The slot after another, round the ring. */
export function slotAfter(slot: number): number {
    return (slot + 1) % NUM_HISTORY_SLOTS
}

/** Counting stops here; above it the statistics' estimate is near enough. */
const MAX_COUNT = 1_000_000

const countTexts = Array.from({ length: NUM_HISTORY_SLOTS }, (_, slot) =>
    statementText(
        (schema) => /* sql */ `-- cuckmq: count-history-slot
with counted as (
    select count(*) as num_jobs from (select from ${schema}.job_history_${slot} limit ${MAX_COUNT}) as job
)
select case
    when num_jobs < ${MAX_COUNT} then num_jobs
    else greatest(num_jobs, (
        select reltuples::bigint from pg_class
        where oid = (select tableoid from ${schema}.job_history_${slot} limit 1)
    ))
end from counted`,
    ),
)

/** How many jobs a slot holds: exact up to a million. */
export async function countSlot({ run, schema, slot }: Query & { slot: number }): Promise<number> {
    const [row] = await run(countTexts[slot]?.(schema) ?? "", [])
    return Number(row?.[0])
}

const estimateTexts = Array.from({ length: NUM_HISTORY_SLOTS }, (_, slot) =>
    statementText(
        (schema) => /* sql */ `-- cuckmq: estimate-history-slot
select greatest(reltuples::bigint, 1) from pg_class
where oid = (select tableoid from ${schema}.job_history_${slot} limit 1)`,
    ),
)

/** About how many jobs a slot holds, at no cost: what the statistics say, and one when they say nothing yet. */
export async function estimateSlot({ run, schema, slot }: Query & { slot: number }): Promise<number> {
    const [row] = await run(estimateTexts[slot]?.(schema) ?? "", [])
    return Number(row?.[0] ?? 0)
}

const emptyTexts = Array.from({ length: NUM_HISTORY_SLOTS }, (_, slot) =>
    statementText(
        (schema) => /* sql */ `-- cuckmq: is-history-slot-empty
select not exists (select from ${schema}.job_history_${slot})`,
    ),
)

/** Whether a slot holds no jobs. */
export async function isSlotEmpty({ run, schema, slot }: Query & { slot: number }): Promise<boolean> {
    const [row] = await run(emptyTexts[slot]?.(schema) ?? "", [])
    return row?.[0] === "t"
}

const truncateTexts = Array.from({ length: NUM_HISTORY_SLOTS }, (_, slot) =>
    statementText(
        (schema) => /* sql */ `-- cuckmq: empty-history-slot
truncate ${schema}.job_history_${slot}`,
    ),
)

/** Empties a slot at once, at no cost for its rows. Gives up when a reader holds it for longer than a moment. */
export async function emptySlot({ run, schema, slot }: Query & { slot: number }): Promise<void> {
    await run(/* sql */ `set local lock_timeout = '100ms'`, [])
    await run(truncateTexts[slot]?.(schema) ?? "", [])
}

const deleteTexts = Array.from({ length: NUM_HISTORY_SLOTS }, (_, slot) =>
    statementText(
        (schema) => /* sql */ `-- cuckmq: delete-from-history-slot
with deleted as (
    delete from ${schema}.job_history_${slot}
    where ctid = any(array(select ctid from ${schema}.job_history_${slot} limit $1::integer))
    returning 1
)
select count(*) from deleted`,
    ),
)

/** Empties a slot piece by piece, for a role that may not truncate. Returns how many jobs it deleted. */
export async function deleteFromSlot({
    run,
    schema,
    slot,
    limit,
}: Query & { slot: number; limit: number }): Promise<number> {
    const [row] = await run(deleteTexts[slot]?.(schema) ?? "", [limit])
    return Number(row?.[0])
}
