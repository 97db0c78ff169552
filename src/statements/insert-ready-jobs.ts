import { jsonList, numberList } from "../db/encode.ts"
import { jobSequence, statementText } from "../db/identifier.ts"
import type { Notification } from "./notify.ts"
import { PREPARED, type Query } from "./query.ts"

/**
 * The hot path of `defer`: jobs that may run at once. Ids come from the sequence in the order of the input, so the
 * ids returned, sorted, are in that order too. Inserts nothing where a definition is gone or retired.
 */
const manyText = statementText(
    (schema) => /* sql */ `-- cuckmq: insert-ready-jobs
insert into ${schema}.job
    (id, position, definition_id, num_attempts, priority, state, created_at, due_at, expires_at, payload)
select
    input.id, input.id, definition.id, definition.num_attempts, definition.priority, 'ready',
    statement_timestamp(), statement_timestamp(),
    statement_timestamp() + definition.timeout_interval_ms * interval '1 ms',
    input.payload::json
from (
    select nextval(${jobSequence(schema)}) as id, item.payload, item.definition_id
    from rows from (pg_catalog.unnest(string_to_array($1, chr(30))), pg_catalog.unnest($2::bigint[])) as item(payload, definition_id)
) as input
join ${schema}.job_definition as definition on definition.id = input.definition_id
where (
    select count(*) from ${schema}.job_definition where id = any($3::bigint[]) and retired_by is null
) = pg_catalog.cardinality($3::bigint[])
returning id::text`,
)

/** The same for one job: a caller alone must not pay for the planning of what many share. */
const oneText = statementText(
    (schema) => /* sql */ `-- cuckmq: insert-ready-job
insert into ${schema}.job
    (id, position, definition_id, num_attempts, priority, state, created_at, due_at, expires_at, payload)
select
    input.id, input.id, definition.id, definition.num_attempts, definition.priority, 'ready',
    statement_timestamp(), statement_timestamp(),
    statement_timestamp() + definition.timeout_interval_ms * interval '1 ms',
    $2::json
from (select nextval(${jobSequence(schema)}) as id) as input, ${schema}.job_definition as definition
where definition.id = $1 and definition.retired_by is null
returning id::text`,
)

/**
 * The same, and tells who listens, in one transaction. Notifications of a database are committed one after the other,
 * so it does not wait for long: it fails, with nothing done. A sub-select, since that is evaluated once for all rows.
 */
const manyToldText = statementText(
    (schema) => /* sql */ `${manyText(schema)},
    (select set_config('lock_timeout', '20ms', true) from pg_notify($4, $5))`,
)

const oneToldText = statementText(
    (schema) => /* sql */ `${oneText(schema)},
    (select set_config('lock_timeout', '20ms', true) from pg_notify($3, $4))`,
)

/**
 * Returns the new ids in the order of the payloads, or none when a definition is no longer there. They may be sent
 * together with a notification.
 */
export async function insertReadyJobs({
    run,
    schema,
    payloads,
    definitionIDs,
    hint,
}: Query & {
    payloads: readonly string[]
    /** Of each payload. */
    definitionIDs: readonly number[]
    hint?: Notification | undefined
}): Promise<number[]> {
    const isOne = payloads.length === 1
    const values = isOne
        ? [definitionIDs[0], payloads[0]]
        : [jsonList(payloads), numberList(definitionIDs), numberList([...new Set(definitionIDs)])]
    const [silent, told] = isOne ? [oneText, oneToldText] : [manyText, manyToldText]
    const rows =
        hint === undefined
            ? await run(silent(schema), values, PREPARED)
            : await run(told(schema), [...values, hint.channel, hint.message], PREPARED)
    return rows.map(([id]) => Number(id)).sort((a, b) => a - b)
}
