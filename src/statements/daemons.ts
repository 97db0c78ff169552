import { numberOrNull } from "../db/cell.ts"
import { statementText } from "../db/identifier.ts"
import type { Query } from "./query.ts"

/** What a daemon is. */
export type DaemonKind = "worker" | "orchestrator"

/** What a daemon tells of itself once. */
export interface DaemonIdentity {
    /** Unique among all daemons; its own choice. */
    id: string
    kind: DaemonKind
    name: string
    host: string
    pid: number
    version: string
    /** Of a worker; null for an orchestrator, and so is its `concurrency`. */
    channel: string | null
    concurrency: number | null
    /** Milliseconds between two heartbeats. */
    intervalMs: number
}

/** What it tells with every heartbeat. */
export interface DaemonState {
    numRunning: number
    isStopping: boolean
}

/** The same row, written again, is the same daemon: so this may be repeated after an answer that was lost. */
const enterText = statementText(
    (schema) => /* sql */ `-- cuckmq: enter-daemon
insert into ${schema}.daemon
    (id, kind, name, host, pid, version, channel, concurrency, interval_ms, num_running, is_stopping, definition_names)
select
    $1::text, $2::text, $3::text, $4::text, $5::integer, $6::text, $7::text, $8::integer, $9::double precision,
    $10::integer, $11::boolean, array(select pg_catalog.jsonb_array_elements_text($12::jsonb))
on conflict (id) do update
set num_running = excluded.num_running, is_stopping = excluded.is_stopping,
    definition_names = excluded.definition_names, heartbeat_at = clock_timestamp()`,
)

/** Writes a daemon down, with the definitions that it knows. */
export async function enterDaemon({
    run,
    schema,
    daemon,
    state,
    definitionNames,
}: Query & {
    daemon: DaemonIdentity
    state: DaemonState
    definitionNames: readonly string[]
}): Promise<void> {
    await run(enterText(schema), [
        daemon.id,
        daemon.kind,
        daemon.name,
        daemon.host,
        daemon.pid,
        daemon.version,
        daemon.channel,
        daemon.concurrency,
        daemon.intervalMs,
        state.numRunning,
        state.isStopping,
        JSON.stringify(definitionNames),
    ])
}

const heartbeatText = statementText(
    (schema) => /* sql */ `-- cuckmq: heartbeat-daemon
update ${schema}.daemon
set heartbeat_at = clock_timestamp(), num_running = $2::integer, is_stopping = $3::boolean
where id = $1
returning id`,
)

/** Says that a daemon lives. Returns whether it was written down. */
export async function heartbeatDaemon({
    run,
    schema,
    id,
    state,
}: Query & { id: string; state: DaemonState }): Promise<boolean> {
    return (await run(heartbeatText(schema), [id, state.numRunning, state.isStopping])).length > 0
}

const removeText = statementText(
    (schema) => /* sql */ `-- cuckmq: remove-daemon
delete from ${schema}.daemon where id = $1`,
)

/** Removes a daemon that has stopped. */
export async function removeDaemon({ run, schema, id }: Query & { id: string }): Promise<void> {
    await run(removeText(schema), [id])
}

/** One that only stood still writes itself down again, so it does not matter who sweeps, and when. */
const sweepText = statementText(
    (schema) => /* sql */ `-- cuckmq: sweep-daemons
delete from ${schema}.daemon
where heartbeat_at < clock_timestamp() - greatest($1::double precision, 3::double precision * interval_ms) * interval '1 ms'`,
)

/** Removes daemons that were silent for longer than `silentMs`. */
export async function sweepDaemons({ run, schema, silentMs }: Query & { silentMs: number }): Promise<void> {
    await run(sweepText(schema), [silentMs])
}

/** Says of the row `daemon` that it lives: no more than two of its heartbeats are missing. */
export const IS_LIVE = /* sql */ `daemon.heartbeat_at > clock_timestamp() - 3::double precision * daemon.interval_ms * interval '1 ms'`

/** A daemon as the database has it. Instants are milliseconds since 1970. */
export interface DaemonRow extends DaemonIdentity, DaemonState {
    definitionNames: string[]
    startedAtMs: number
    heartbeatAtMs: number
    isLive: boolean
}

const selectText = statementText(
    (schema) => /* sql */ `-- cuckmq: select-daemons
select
    id, kind, name, host, pid, version, channel, concurrency, interval_ms, num_running, is_stopping,
    pg_catalog.to_json(definition_names)::text, date_part('epoch', started_at) * 1000::double precision,
    date_part('epoch', heartbeat_at) * 1000::double precision, ${IS_LIVE}
from ${schema}.daemon
where $1::text is null or kind = $1
order by started_at, id`,
)

/** The daemons of a kind, or all of them, those that started first coming first. */
export async function selectDaemons({
    run,
    schema,
    kind,
}: Query & { kind: DaemonKind | null }): Promise<DaemonRow[]> {
    return (await run(selectText(schema), [kind])).map((row) => ({
        id: row[0] ?? "",
        kind: row[1] as DaemonKind,
        name: row[2] ?? "",
        host: row[3] ?? "",
        pid: Number(row[4]),
        version: row[5] ?? "",
        channel: row[6] ?? null,
        concurrency: numberOrNull(row[7]),
        intervalMs: Number(row[8]),
        numRunning: Number(row[9]),
        isStopping: row[10] === "t",
        definitionNames: JSON.parse(row[11] ?? "[]") as string[],
        startedAtMs: Number(row[12]),
        heartbeatAtMs: Number(row[13]),
        isLive: row[14] === "t",
    }))
}
