import type { Cron } from "../cron/cron-rule.ts"
import type { OnMissed } from "../cron/plan-ticks.ts"
import { numberOrNull } from "../db/cell.ts"
import { numberList } from "../db/encode.ts"
import { statementText } from "../db/identifier.ts"
import type { Query } from "./query.ts"
import { REPEAT_COLUMNS, type RepeatSource } from "./repeat-source.ts"

/** A schedule whose tick has come. Instants are seconds since 1970, as exact as the database has them. */
export interface DueRepeat {
    id: number
    tickS: number | null
    /** The database's clock. */
    nowS: number
    /** Null where an interval says when. */
    cron: Cron | null
    onMissed: OnMissed
}

const textOf = (source: RepeatSource) => {
    const row = REPEAT_COLUMNS[source]
    return statementText(
        (schema) => /* sql */ `-- cuckmq: find-due-repeats
select
    id, date_part('epoch', next_repeat_at), date_part('epoch', statement_timestamp()),
    repeat_cron, repeat_time_zone, on_missed
from ${row.table(schema)}
where ${row.isMine} and ${row.isDue}
order by next_repeat_at nulls first, id
limit $2::integer`,
    )
}

const texts = { job_definition: textOf("job_definition"), schedule: textOf("schedule") }

/** Finds up to `limit` schedules that are due, those first that have been for longest; of definitions, those given. */
export async function findDueRepeats({
    run,
    schema,
    source,
    definitionIDs,
    limit,
}: Query & { source: RepeatSource; definitionIDs: readonly number[]; limit: number }): Promise<DueRepeat[]> {
    const rows = await run(texts[source](schema), [numberList(definitionIDs), limit])
    return rows.map(([id, tickS, nowS, expression, timeZone, onMissed]) => ({
        id: Number(id),
        tickS: numberOrNull(tickS),
        nowS: Number(nowS),
        cron:
            typeof expression === "string" && typeof timeZone === "string" ? { expression, timeZone } : null,
        onMissed: onMissed as OnMissed,
    }))
}

const nextText = statementText(
    (schema) => /* sql */ `-- cuckmq: next-repeats
select
    date_part('epoch', definitions.next_at - clock_timestamp()) * 1000::double precision,
    date_part('epoch', schedules.next_at - clock_timestamp()) * 1000::double precision
from (
    select min(case when repeat_cron is null then next_repeat_at else coalesce(next_repeat_at, statement_timestamp()) end)
        as next_at
    from ${schema}.job_definition
    where id = any($1::bigint[])
) as definitions, (
    select min(next_repeat_at) as next_at from ${schema}.schedule where paused_at is null
) as schedules`,
)

/** Milliseconds until the next tick of each source, infinite where nothing repeats. */
export async function nextRepeatsMs({
    run,
    schema,
    definitionIDs,
}: Query & { definitionIDs: readonly number[] }): Promise<Record<RepeatSource, number>> {
    const [row] = await run(nextText(schema), [numberList(definitionIDs)])
    const toMs = (cell: string | null | undefined) => numberOrNull(cell) ?? Number.POSITIVE_INFINITY
    return { job_definition: toMs(row?.[0]), schedule: toMs(row?.[1]) }
}

/** What the database's clock shows, in milliseconds since 1970. */
export async function databaseNowMs({ run }: Pick<Query, "run">): Promise<number> {
    const [row] = await run(
        "-- cuckmq: database-now\nselect date_part('epoch', clock_timestamp()) * 1000::double precision",
        [],
    )
    return Number(row?.[0])
}
