import { numberList } from "../db/encode.ts"
import { type QuotedSchema, statementText } from "../db/identifier.ts"
import { concurrencyKey, groupKey, rateKey } from "./gate-rules.ts"
import { hasID, type Query } from "./query.ts"

/** A key of a definition that is paused. */
export interface PausedKey {
    /** The definition's name. */
    definition: string
    key: string
    reason: string | null
}

/** All the keys of a lane, whatever they are for; those that it lacks are empty, as no key is. */
const keysOf = (lane: string) => /* sql */ `${groupKey(lane)}, ${concurrencyKey(lane)}, ${rateKey(lane)}`

/** Whether a key of the row `definition` is paused. One row tells: as a join, it would read all of them. */
export const hasPausedKey = (schema: QuotedSchema) => /* sql */ `coalesce((
        select true from ${schema}.paused_key where paused_key.definition = definition.name limit 1
    ), false)`

/**
 * The name of the definition `asked`, if a key of it is paused. Where nobody has paused a key this reads an empty table,
 * once, and no definition.
 */
export const nameWithPausedKeys = (
    schema: QuotedSchema,
) => /* sql */ `case when exists (select from ${schema}.paused_key) then (
            select definition.name from ${schema}.job_definition as definition
            where definition.id = asked.definition_id and ${hasPausedKey(schema)}
        ) end`

/**
 * Whether a lane of the definition `asked` is paused: null when it is not, true when that is for its group, so that all
 * other lanes of the group are as well. However many keys are paused, it looks up those of the lane, and nothing where the
 * definition has none that is paused.
 */
export const pauseOfLane = (schema: QuotedSchema, lane: string) => /* sql */ `
    select bool_or(paused_key.key = ${groupKey(lane)}) as is_group
    from ${schema}.paused_key
    where asked.name_with_paused_keys is not null
        and paused_key.definition = asked.name_with_paused_keys and paused_key.key in (${keysOf(lane)})`

/**
 * Whether no key of the row `job` is paused. For statements that go by jobs and not by lanes, which meet jobs that have
 * keys only where a worker does not know of them.
 */
export const hasNoPausedKey = (schema: QuotedSchema) => /* sql */ `(job.lane is null or not exists (
            select from ${schema}.job_definition as definition
            join ${schema}.paused_key on paused_key.definition = definition.name
            where definition.id = job.definition_id and paused_key.key in (${keysOf("job.lane")})
        ))`

const pauseText = statementText(
    (schema) => /* sql */ `-- cuckmq: pause-key
insert into ${schema}.paused_key (definition, key, reason) values ($1, $2, $3)
on conflict (definition, key) do update set reason = coalesce(excluded.reason, paused_key.reason)`,
)

/** Pauses a key of a definition. What is paused already stays so since then. */
export async function insertPausedKey({
    run,
    schema,
    definition,
    key,
    reason,
}: Query & PausedKey): Promise<void> {
    await run(pauseText(schema), [definition, key, reason])
}

const resumeText = statementText(
    (schema) => /* sql */ `-- cuckmq: resume-key
delete from ${schema}.paused_key where definition = $1 and key = $2 returning key`,
)

/** Ends the pause of a key. Returns whether there was one. */
export async function deletePausedKey({
    run,
    schema,
    definition,
    key,
}: Query & Omit<PausedKey, "reason">): Promise<boolean> {
    return (await run(resumeText(schema), [definition, key])).length > 0
}

const pausedJobsText = statementText(
    (schema) => /* sql */ `-- cuckmq: select-paused-jobs
select job.id
from pg_catalog.unnest($1::bigint[]) as asked(id)
join ${schema}.job on ${hasID("asked.id")}
where not ${hasNoPausedKey(schema)}`,
)

/** Those of these jobs that have a key which is paused. */
export async function selectPausedJobs({
    run,
    schema,
    ids,
}: Query & { ids: readonly number[] }): Promise<Set<number>> {
    return new Set((await run(pausedJobsText(schema), [numberList(ids)])).map(([id]) => Number(id)))
}
