import { statementText } from "../db/identifier.ts"
import { ms } from "./inspect-job.ts"
import type { Query } from "./query.ts"

/** An operation, as the database has it. Instants are milliseconds since 1970. */
export interface OperationRow {
    id: number
    kind: string
    askedBy: string | null
    askedAtMs: number
    target: Record<string, unknown>
    details: Record<string, unknown>
    state: string
    numLookedAt: number
    numDone: number
    numSkipped: number
    numExpected: number | null
    /** The id of the job that it has come to. */
    afterID: number
    startedAtMs: number | null
    endedAtMs: number | null
    cancelledBy: string | null
    error: string | null
}

const ROW = /* sql */ `pg_catalog.jsonb_build_object(
    'id', id, 'kind', kind, 'askedBy', asked_by, 'askedAtMs', ${ms("asked_at")}, 'target', target, 'details', details,
    'state', state, 'numLookedAt', num_looked_at, 'numDone', num_done, 'numSkipped', num_skipped,
    'numExpected', num_expected, 'afterID', after_id, 'startedAtMs', ${ms("started_at")},
    'endedAtMs', ${ms("ended_at")}, 'cancelledBy', cancelled_by, 'error', error
)::text`

function toRow(cell: string | null | undefined): OperationRow {
    return JSON.parse(cell ?? "{}") as OperationRow
}

/** What somebody did, or wants done. */
export interface NewOperation {
    kind: string
    by: string | null
    target: object
    details: object
}

const recordText = statementText(
    (schema) => /* sql */ `-- cuckmq: record-operation
insert into ${schema}.operation
    (kind, asked_by, target, details, state, num_looked_at, num_done, num_skipped, num_expected, started_at, ended_at)
values (
    $1::text, $2::text, $3::jsonb, $4::jsonb, 'done', $5::bigint, $5::bigint - $6::bigint, $6::bigint, nullif($5::bigint, 0),
    clock_timestamp(), clock_timestamp()
)`,
)

/** Writes down what was done, as a part of the transaction that did it. */
export async function recordOperation({
    run,
    schema,
    operation,
    numLookedAt = 0,
    numSkipped = 0,
}: Query & { operation: NewOperation; numLookedAt?: number; numSkipped?: number }): Promise<void> {
    const { kind, by, target, details } = operation
    await run(recordText(schema), [
        kind,
        by,
        JSON.stringify(target),
        JSON.stringify(details),
        numLookedAt,
        numSkipped,
    ])
}

const submitText = statementText(
    (schema) => /* sql */ `-- cuckmq: submit-operation
insert into ${schema}.operation (kind, asked_by, target, details, state, num_expected)
values ($1::text, $2::text, $3::jsonb, $4::jsonb, 'waiting', $5::bigint)
returning ${ROW}`,
)

/** Writes down what is to be done. */
export async function submitOperation({
    run,
    schema,
    operation,
    numExpected,
}: Query & { operation: NewOperation; numExpected: number | null }): Promise<OperationRow> {
    const { kind, by, target, details } = operation
    const values = [kind, by, JSON.stringify(target), JSON.stringify(details), numExpected]
    const [row] = await run(submitText(schema), values)
    return toRow(row?.[0])
}

const findText = statementText(
    (schema) => /* sql */ `-- cuckmq: find-operation
select ${ROW} from ${schema}.operation where id = $1::bigint`,
)

/** The operation of an id; undefined when there is none. */
export async function findOperation({
    run,
    schema,
    id,
}: Query & { id: number }): Promise<OperationRow | undefined> {
    const [row] = await run(findText(schema), [id])
    return row === undefined ? undefined : toRow(row[0])
}

const listText = statementText(
    (schema) => /* sql */ `-- cuckmq: list-operations
select ${ROW} from ${schema}.operation
where id < $1::bigint and ($2::boolean is null or state not in ('waiting', 'running'))
order by id desc
limit $3::integer`,
)

/** By the index of those that have not ended, of which there are few. */
const unendedText = statementText(
    (schema) => /* sql */ `-- cuckmq: list-unended-operations
select ${ROW} from ${schema}.operation
where state in ('waiting', 'running') and id < $1::bigint
order by id desc
limit $2::integer`,
)

/** Lists operations with ids below one, the newest first. */
export async function listOperations({
    run,
    schema,
    beforeID,
    isRunning,
    limit,
}: Query & { beforeID: number; isRunning: boolean | null; limit: number }): Promise<OperationRow[]> {
    const rows =
        isRunning === true
            ? await run(unendedText(schema), [beforeID, limit])
            : await run(listText(schema), [beforeID, isRunning, limit])
    return rows.map(([cell]) => toRow(cell))
}

const cancelText = statementText(
    (schema) => /* sql */ `-- cuckmq: cancel-operation
update ${schema}.operation
set state = 'cancelled', ended_at = clock_timestamp(), cancelled_by = $2::text, held_by = null, held_until = null
where id = $1::bigint and state in ('waiting', 'running')
returning id`,
)

/** Ends an operation before it is done: waits for the chunk under way. Returns whether it had not ended. */
export async function cancelOperation({
    run,
    schema,
    id,
    by,
}: Query & { id: number; by: string | null }): Promise<boolean> {
    return (await run(cancelText(schema), [id, by])).length > 0
}

/** For how long an orchestrator has an operation to itself, from its last word. */
const HELD = "interval '10 seconds'"

/** One that waits comes first, and then the one that nobody has been at for longest: so all of them go on. */
const holdText = statementText(
    (schema) => /* sql */ `-- cuckmq: hold-operation
update ${schema}.operation
set state = 'running', started_at = coalesce(started_at, clock_timestamp()), held_by = $1::text,
    held_until = clock_timestamp() + ${HELD}
where id = (
    select id from ${schema}.operation
    where state in ('waiting', 'running') and (held_by is null or held_until < clock_timestamp())
    order by held_until nulls first, id
    limit 1
    for update skip locked
)
returning ${ROW}`,
)

/** Takes an operation that nobody is at; undefined when there is none. */
export async function holdOperation({
    run,
    schema,
    holder,
}: Query & { holder: string }): Promise<OperationRow | undefined> {
    const [row] = await run(holdText(schema), [holder])
    return row === undefined ? undefined : toRow(row[0])
}

/** When it was left says whose turn it is next. */
const leaveText = statementText(
    (schema) => /* sql */ `-- cuckmq: leave-operation
update ${schema}.operation
set held_by = null, held_until = clock_timestamp()
where id = $1::bigint and held_by = $2::text and state = 'running'`,
)

/** Leaves an operation to whoever comes next. */
export async function leaveOperation({
    run,
    schema,
    id,
    holder,
}: Query & { id: number; holder: string }): Promise<void> {
    await run(leaveText(schema), [id, holder])
}

const lockText = statementText(
    (schema) => /* sql */ `-- cuckmq: lock-operation
select id from ${schema}.operation
where id = $1::bigint and held_by = $2::text and after_id = $3::bigint and state = 'running'
for update`,
)

/**
 * Locks an operation for a chunk of it. Returns false when it was cancelled, or somebody else has it or has done the
 * chunk: what we write with it is written once.
 */
export async function lockOperation({
    run,
    schema,
    id,
    holder,
    afterID,
}: Query & { id: number; holder: string; afterID: number }): Promise<boolean> {
    return (await run(lockText(schema), [id, holder, afterID])).length > 0
}

const advanceText = statementText(
    (schema) => /* sql */ `-- cuckmq: advance-operation
update ${schema}.operation
set after_id = $2::bigint, num_looked_at = num_looked_at + $3::bigint + $4::bigint, num_done = num_done + $3::bigint,
    num_skipped = num_skipped + $4::bigint,
    held_until = case when $5::boolean then null else clock_timestamp() + ${HELD} end,
    held_by = case when $5::boolean then null else held_by end,
    ended_at = case when $5::boolean then clock_timestamp() end,
    state = case when $5::boolean then 'done' else 'running' end
where id = $1::bigint`,
)

/** Writes down how far an operation that is locked has come. */
export async function advanceOperation({
    run,
    schema,
    id,
    afterID,
    numDone,
    numSkipped,
    isEnd,
}: Query & {
    id: number
    afterID: number
    numDone: number
    numSkipped: number
    isEnd: boolean
}): Promise<void> {
    await run(advanceText(schema), [id, afterID, numDone, numSkipped, isEnd])
}

const failText = statementText(
    (schema) => /* sql */ `-- cuckmq: fail-operation
update ${schema}.operation
set state = 'failed', ended_at = clock_timestamp(), error = $3::text, held_by = null, held_until = null
where id = $1::bigint and held_by = $2::text and state = 'running'
returning ${ROW}`,
)

/** Ends an operation that cannot go on; undefined when it has ended before, or somebody else has it. */
export async function failOperation({
    run,
    schema,
    id,
    holder,
    error,
}: Query & { id: number; holder: string; error: string }): Promise<OperationRow | undefined> {
    const [row] = await run(failText(schema), [id, holder, error])
    return row === undefined ? undefined : toRow(row[0])
}
