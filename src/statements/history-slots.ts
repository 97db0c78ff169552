import { statementText } from "../db/identifier.ts"
import { HISTORY_RINGS } from "./history-rings.ts"
import type { Query } from "./query.ts"

const NUM_SLOTS = HISTORY_RINGS.flatMap(({ slots }) => slots).length

/** Counting stops here; above it the statistics' estimate is near enough. */
const MAX_COUNT = 1_000_000

const countTexts = Array.from({ length: NUM_SLOTS }, (_, slot) =>
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

const estimateTexts = Array.from({ length: NUM_SLOTS }, (_, slot) =>
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

const emptyTexts = Array.from({ length: NUM_SLOTS }, (_, slot) =>
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

const truncateTexts = Array.from({ length: NUM_SLOTS }, (_, slot) =>
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

const deleteTexts = Array.from({ length: NUM_SLOTS }, (_, slot) =>
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
