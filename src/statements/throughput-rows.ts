import type { Row } from "../db/driver.ts"
import { FAILURE_REASONS, type FailureReason } from "../events.ts"
import type { Histogram } from "../histogram.ts"

/** For how long whoever reads may ask for minutes: a day, and what rounding to whole steps adds. */
export const MINUTES_READ_MS = 25 * 60 * 60_000

/** How long there is a row for each minute. Longer than anyone may ask for, by the clock of whatever process. */
export const MINUTES_KEPT_MS = 26 * 60 * 60_000

/** How long there is one for each hour. */
export const HOURS_KEPT_MS = 30 * 24 * 60 * 60_000

/** What became of jobs, in numbers. */
export interface JobCounts {
    numSucceeded: number
    /** Attempts that failed and whose jobs were to be attempted again. */
    numRetried: number
    /** Jobs that failed for good, by reason, in the order of `FAILURE_REASONS`. */
    numFailed: readonly number[]
    /** From when jobs were due to when they were claimed. */
    wait: Histogram
    /** From when they were claimed to when the end of the attempt was on record. */
    run: Histogram
}

/** The columns that count. */
export const COUNT_COLUMNS = /* sql */ `num_succeeded, num_retried, wait_ms, run_ms, num_failed, wait_counts, run_counts`

/** The same as `toJobCounts` reads them: drivers differ in what they make of lists, but not of texts. */
export const READ_COLUMNS = /* sql */ `num_succeeded, num_retried, wait_ms, run_ms,
    num_failed::text, wait_counts::text, run_counts::text`

/** Adds one list to another, place by place. The shorter one goes on with zeros. */
function listSum(one: string, other: string): string {
    return /* sql */ `array(
        select coalesce(pair.one, 0::bigint) + coalesce(pair.other, 0::bigint)
        from rows from (pg_catalog.unnest(${one}), pg_catalog.unnest(${other})) with ordinality as pair(one, other, turn)
        order by pair.turn
    )`
}

/** What an insert into the table, as `known`, does where there is such a row: it adds to it. */
export const ADD_COUNTS = /* sql */ `on conflict (span, began_at, definition_id) do update
    set num_succeeded = known.num_succeeded + excluded.num_succeeded,
        num_retried = known.num_retried + excluded.num_retried,
        wait_ms = known.wait_ms + excluded.wait_ms,
        run_ms = known.run_ms + excluded.run_ms,
        num_failed = ${listSum("known.num_failed", "excluded.num_failed")},
        wait_counts = ${listSum("known.wait_counts", "excluded.wait_counts")},
        run_counts = ${listSum("known.run_counts", "excluded.run_counts")}`

/**
 * Sums of the rows of `piece`, one for each definition and `part`, as parts of a `with`: the last of them, `total`, has
 * the columns of `piece`. Lists are taken apart and put together once, however many rows there are.
 */
export const TOTALS = /* sql */ `place as (
    select piece.definition_id, piece.part, item.list, item.turn, sum(item.num)::bigint as num
    from piece
    cross join lateral (
        select 'failed' as list, one.turn, one.num
        from pg_catalog.unnest(piece.num_failed) with ordinality as one(num, turn)
        union all
        select 'wait', one.turn, one.num
        from pg_catalog.unnest(piece.wait_counts) with ordinality as one(num, turn)
        union all
        select 'run', one.turn, one.num
        from pg_catalog.unnest(piece.run_counts) with ordinality as one(num, turn)
    ) as item
    group by piece.definition_id, piece.part, item.list, item.turn
), list as (
    select definition_id, part,
        pg_catalog.array_agg(num order by turn) filter (where list = 'failed') as num_failed,
        pg_catalog.array_agg(num order by turn) filter (where list = 'wait') as wait_counts,
        pg_catalog.array_agg(num order by turn) filter (where list = 'run') as run_counts
    from place
    group by definition_id, part
), plain as (
    select definition_id, part, sum(num_succeeded)::bigint as num_succeeded, sum(num_retried)::bigint as num_retried,
        sum(wait_ms) as wait_ms, sum(run_ms) as run_ms
    from piece
    group by definition_id, part
), total as (
    select plain.definition_id, plain.part, num_succeeded, num_retried, wait_ms, run_ms,
        coalesce(num_failed, '{}'::bigint[]) as num_failed, coalesce(wait_counts, '{}'::bigint[]) as wait_counts,
        coalesce(run_counts, '{}'::bigint[]) as run_counts
    from plain
    left join list on list.definition_id = plain.definition_id and list.part = plain.part
)`

/** Reads the cells of `READ_COLUMNS`; nothing counted where they are null. */
export function toJobCounts(cells: Row): JobCounts {
    const [numSucceeded, numRetried, waitMs, runMs, numFailed, waitCounts, runCounts] = cells
    return {
        numSucceeded: Number(numSucceeded ?? 0),
        numRetried: Number(numRetried ?? 0),
        numFailed: toNumbers(numFailed),
        wait: { counts: toNumbers(waitCounts), sumMs: Number(waitMs ?? 0) },
        run: { counts: toNumbers(runCounts), sumMs: Number(runMs ?? 0) },
    }
}

/** Reads a list of numbers as Postgres writes it. */
function toNumbers(list: string | null | undefined): number[] {
    return (list?.match(/\d+/g) ?? []).map(Number)
}

/** How many jobs failed for each reason. */
export function failuresOf({ numFailed }: Pick<JobCounts, "numFailed">): Record<FailureReason, number> {
    const entries = FAILURE_REASONS.map((reason, place) => [reason, numFailed[place] ?? 0] as const)
    return Object.fromEntries(entries) as Record<FailureReason, number>
}
