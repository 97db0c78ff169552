import { type QuotedSchema, statementText } from "../db/identifier.ts"
import { NUM_HISTORY_SLOTS } from "../schema/migrations/0001-create-tables.ts"
import { NUM_RETENTION_RINGS, retentionSlots } from "../schema/migrations/0009-retention.ts"
import type { Query } from "./query.ts"

/** A ring of history: partitions that are filled one after the other, and emptied whole. */
export interface HistoryRing {
    readonly id: number
    readonly slots: readonly number[]
}

/** The ring of jobs that succeed, and whose definition does not say how long they are to be kept. */
export const DEFAULT_RING = 0

/** The same for jobs that fail: dead letters. */
const DEAD_LETTER_RING = 1

/** Up to which time each of the other rings keeps jobs whose definitions say for how long: a day, or any. */
const SPANS_MS = [24 * 60 * 60_000, Number.POSITIVE_INFINITY]
const FIRST_SPAN_RING = DEAD_LETTER_RING + 1

/** All rings, that of `DEFAULT_RING` first. */
export const HISTORY_RINGS: readonly HistoryRing[] = [
    { id: DEFAULT_RING, slots: Array.from({ length: NUM_HISTORY_SLOTS }, (_, slot) => slot) },
    ...Array.from({ length: NUM_RETENTION_RINGS }, (_, index) => ({
        id: index + 1,
        slots: retentionSlots(index + 1),
    })),
]

/** The first slot of those in which dead letters can be found by what is known of them. */
export const FIRST_RETENTION_SLOT = NUM_HISTORY_SLOTS

/**
 * The ring that a job goes to when it ends: the one of the shortest span that is long enough, or null when it is not to
 * be kept. `keepMs` is what its definition says, null for nothing.
 */
export function ringOf({
    outcome,
    keepMs,
}: {
    outcome: "succeeded" | "failed"
    keepMs: number | null
}): number | null {
    if (keepMs === null) return outcome === "succeeded" ? DEFAULT_RING : DEAD_LETTER_RING
    if (keepMs === 0) return null
    return FIRST_SPAN_RING + SPANS_MS.findIndex((spanMs) => keepMs <= spanMs)
}

/** Where a job goes that has to leave a record, though it is not to be kept. */
export const SHORTEST_RING = FIRST_SPAN_RING

/** The span of a ring whose jobs are kept as their definitions say; undefined for the others. */
export function spanOf(ring: HistoryRing): number | undefined {
    return SPANS_MS[ring.id - FIRST_SPAN_RING]
}

/** The slot that is open in the ring of `DEFAULT_RING`, as SQL. */
export function openSlot(schema: QuotedSchema): string {
    return /* sql */ `(select slot from ${schema}.history_ring)`
}

/** The slot that is open in another ring, as SQL; `ring` is the parameter that says which. */
export function openSlotOf(ring: "$6" | "$8", schema: QuotedSchema): string {
    return /* sql */ `(select slot from ${schema}.retention_ring where ring = ${ring}::integer)`
}

const askedText = statementText(
    (schema) => /* sql */ `-- cuckmq: select-kept-spans
select distinct asked.keep_ms
from ${schema}.job_definition as definition
cross join lateral (values (definition.keep_succeeded_ms), (definition.keep_failed_ms)) as asked(keep_ms)
where asked.keep_ms > 0::double precision`,
)

/** The longest that any definition wants jobs of a ring kept; undefined when none does. */
export async function longestKeptMs({
    run,
    schema,
    ring,
}: Query & { ring: HistoryRing }): Promise<number | undefined> {
    const asked = (await run(askedText(schema), []))
        .map(([keepMs]) => Number(keepMs))
        .filter((keepMs) => ringOf({ outcome: "succeeded", keepMs }) === ring.id)
    return asked.length === 0 ? undefined : Math.max(...asked)
}

const lockDefaultText = statementText(
    (schema) => /* sql */ `-- cuckmq: lock-history-ring
select slot, date_part('epoch', clock_timestamp() - opened_at) * 1000::double precision from ${schema}.history_ring for update skip locked`,
)

const lockText = statementText(
    (schema) => /* sql */ `-- cuckmq: lock-retention-ring
select slot, date_part('epoch', clock_timestamp() - opened_at) * 1000::double precision
from ${schema}.retention_ring where ring = $1 for update skip locked`,
)

/** Locks a ring for this transaction. Undefined when another session has it. */
export async function lockHistoryRing({
    run,
    schema,
    ring,
}: Query & { ring: HistoryRing }): Promise<{ slot: number; openForMs: number } | undefined> {
    const [row] =
        ring.id === DEFAULT_RING
            ? await run(lockDefaultText(schema), [])
            : await run(lockText(schema), [ring.id])
    return row === undefined ? undefined : { slot: Number(row[0]), openForMs: Number(row[1]) }
}

const agedDefaultText = statementText(
    (schema) => /* sql */ `-- cuckmq: select-aged-slots
select slot from ${schema}.history_slot
where slot <> (select slot from ${schema}.history_ring)
    and sealed_at < clock_timestamp() - $1::double precision * interval '1 ms'
order by slot`,
)

const agedText = statementText(
    (schema) => /* sql */ `-- cuckmq: select-aged-slots
select slot from ${schema}.retention_slot
where ring = $2 and slot <> (select slot from ${schema}.retention_ring where ring = $2)
    and sealed_at < clock_timestamp() - $1::double precision * interval '1 ms'
order by slot`,
)

/** The slots of a ring that were sealed longer ago than the threshold. */
export async function selectAgedSlots({
    run,
    schema,
    ring,
    thresholdMs,
}: Query & { ring: HistoryRing; thresholdMs: number }): Promise<number[]> {
    const rows =
        ring.id === DEFAULT_RING
            ? await run(agedDefaultText(schema), [thresholdMs])
            : await run(agedText(schema), [thresholdMs, ring.id])
    return rows.map(([slot]) => Number(slot))
}

const sealDefaultText = statementText(
    (schema) => /* sql */ `-- cuckmq: seal-history-slot
with sealed as (
    update ${schema}.history_slot set sealed_at = clock_timestamp() where slot = $1
)
update ${schema}.history_ring set slot = $2, opened_at = clock_timestamp()`,
)

const sealText = statementText(
    (schema) => /* sql */ `-- cuckmq: seal-retention-slot
with sealed as (
    update ${schema}.retention_slot set sealed_at = clock_timestamp() where slot = $1
)
update ${schema}.retention_ring set slot = $2, opened_at = clock_timestamp() where ring = $3`,
)

/** Seals a slot of a ring and opens another. */
export async function openNextSlot({
    run,
    schema,
    ring,
    openSlot,
    nextSlot,
}: Query & { ring: HistoryRing; openSlot: number; nextSlot: number }): Promise<void> {
    if (ring.id === DEFAULT_RING) await run(sealDefaultText(schema), [openSlot, nextSlot])
    else await run(sealText(schema), [openSlot, nextSlot, ring.id])
}

/**
 * How long a slot stays open, so that finalized jobs are kept for the threshold: two slots less than there are, for
 * the one that is open and the one that is being emptied.
 */
export function openIntervalMs(ring: HistoryRing, thresholdMs: number): number {
    return thresholdMs / (ring.slots.length - 2)
}

/** The slot after another, round its ring. */
export function slotAfter(ring: HistoryRing, slot: number): number {
    const [first = slot] = ring.slots
    return first + ((slot - first + 1) % ring.slots.length)
}
