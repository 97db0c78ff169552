import type { QuotedSchema } from "../db/identifier.ts"
import { NUM_GATE_SLOTS } from "./gates.ts"
import { IS_READY } from "./query.ts"

/** The keys that a lane is made of. */
export const groupKey = (lane: string) => /* sql */ `split_part(${lane}, chr(31), 1)`
export const concurrencyKey = (lane: string) => /* sql */ `split_part(${lane}, chr(31), 2)`
export const rateKey = (lane: string) => /* sql */ `split_part(${lane}, chr(31), 3)`

/** The order of \`job_gated_idx\`: lane by lane, and within one as its jobs are to run. */
export const LANE_ORDER = /* sql */ `job.definition_id, job.lane, job.priority, job.position`

/**
 * Says of a job that it is ready in a lane of the row given, in the words of \`job_gated_idx\`. The lane is said as a range,
 * so that the order asked for is that of the index and no sorted heap of jobs.
 */
export const isReadyIn = (row: string) => /* sql */ `job.definition_id = ${row}.definition_id and ${IS_READY}
                and job.lane is not null and job.lane >= ${row}.lane and job.lane <= ${row}.lane`

/** The bit of the slot that a bucket is in. Buckets of all kinds share the slots of their definition. */
export const slotBit = (kind: string, key: string) =>
    /* sql */ `1::bigint << (hashtext('${kind}' || ${key}) & ${NUM_GATE_SLOTS - 1})`

/** Earlier releases count so many milliseconds. */
export const PERIOD = /* sql */ `asked.per_ms * interval '1 ms'`

/**
 * What a rate leaves of a bucket of the definition `asked`, and when it leaves more. By a clock that is read before the
 * slots are locked, so it is never too much.
 */
export const releasedRoom = (schema: QuotedSchema, key: string) => /* sql */ `
    select
        case when bucket.held_until > clock_timestamp() then 0 else asked.max_released - spent.weight end as room,
        nullif(greatest(bucket.held_until, spent.first_at + ${PERIOD}), '-infinity') as next_at
    from (select) as one
    left join ${schema}.rate_window as bucket
        on bucket.definition_id = asked.definition_id and bucket.key = ${key}
    cross join lateral (
        select coalesce(sum(past.weight), 0)::bigint as weight, min(past.released_at) as first_at
        from rows from (pg_catalog.unnest(bucket.released_at), pg_catalog.unnest(bucket.weights))
            as past(released_at, weight)
        where past.released_at > clock_timestamp() - ${PERIOD}
    ) as spent`
