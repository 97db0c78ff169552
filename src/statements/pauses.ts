import { type QuotedSchema, statementText } from "../db/identifier.ts"
import type { Query } from "./query.ts"

/** What may be paused: a definition or a channel, by its name, or all there is. */
export type PauseScope = "definition" | "channel" | "everything"

/** What is paused. */
export interface PauseRow {
    scope: PauseScope
    /** Empty for everything. */
    name: string
    /** Of the definition named, only this key. */
    key: string | null
    reason: string | null
    pausedAt: Date
}

/**
 * The ids of the definitions that are paused, as a statement sees them with its own snapshot: whatever begins after a
 * pause was committed sees it. Where nothing is paused this reads an empty table, once, and no definition: the lateral
 * sub-select is kept apart by its `offset`, so that it is run for each pause and never joined in another way.
 */
export function pausedDefinitions(schema: QuotedSchema): string {
    return /* sql */ `array(
        select definition.id
        from ${schema}.pause
        cross join lateral (
            select id from ${schema}.job_definition as paused
            where pause.scope = 'everything'
                or (pause.scope = 'channel' and paused.channel = pause.name)
                or (pause.scope = 'definition' and paused.name = pause.name)
            offset 0
        ) as definition
    )`
}

const pauseText = statementText(
    (schema) => /* sql */ `-- cuckmq: pause
insert into ${schema}.pause (scope, name, reason) values ($1, $2, $3)
on conflict (scope, name) do update set reason = coalesce(excluded.reason, pause.reason)`,
)

/** Pauses something. What is paused already stays so since then. */
export async function insertPause({
    run,
    schema,
    scope,
    name,
    reason,
}: Query & Omit<PauseRow, "key" | "pausedAt">): Promise<void> {
    await run(pauseText(schema), [scope, name, reason])
}

const resumeText = statementText(
    (schema) => /* sql */ `-- cuckmq: resume
delete from ${schema}.pause where scope = $1 and name = $2 returning scope`,
)

/** Ends a pause. Returns whether there was one. */
export async function deletePause({
    run,
    schema,
    scope,
    name,
}: Query & Pick<PauseRow, "scope" | "name">): Promise<boolean> {
    return (await run(resumeText(schema), [scope, name])).length > 0
}

const listText = statementText(
    (schema) => /* sql */ `-- cuckmq: list-pauses
select scope, name, key, reason, date_part('epoch', paused_at) * 1000::double precision
from (
    select scope, name, null as key, reason, paused_at from ${schema}.pause
    union all
    select 'definition', definition, key, reason, paused_at from ${schema}.paused_key
) as paused
order by paused_at, scope, name, key`,
)

/** All pauses, those of keys among them, the longest first. */
export async function selectPauses({ run, schema }: Query): Promise<PauseRow[]> {
    return (await run(listText(schema), [])).map((row) => ({
        scope: row[0] as PauseScope,
        name: row[1] ?? "",
        key: row[2] ?? null,
        reason: row[3] ?? null,
        pausedAt: new Date(Number(row[4])),
    }))
}
