import { numberOrNull } from "../db/cell.ts"
import type { Query } from "./query.ts"

/** What a server says of itself. Durations are milliseconds, 0 for no limit, and null where this release has no such setting. */
export interface ServerFacts {
    /** When the server answered, in milliseconds since 1970. */
    atMs: number
    versionNum: number
    isInRecovery: boolean
    isReadOnly: boolean
    autovacuum: string
    synchronousCommit: string
    fsync: string
    statementTimeoutMs: number | null
    idleInTransactionTimeoutMs: number | null
    idleSessionTimeoutMs: number | null
    transactionTimeoutMs: number | null
    maxConnections: number
    numReserved: number
    numConnections: number
}

/** Settings that only some releases have are null elsewhere. */
const text = /* sql */ `-- cuckmq: check-server
select pg_catalog.jsonb_build_object(
    'versionNum', current_setting('server_version_num')::integer,
    'isInRecovery', pg_is_in_recovery(),
    'isReadOnly', current_setting('default_transaction_read_only') = 'on',
    'autovacuum', current_setting('autovacuum'),
    'synchronousCommit', current_setting('synchronous_commit'),
    'fsync', current_setting('fsync'),
    'statementTimeoutMs', date_part('epoch', current_setting('statement_timeout')::interval) * 1000::double precision,
    'idleInTransactionTimeoutMs',
        date_part('epoch', current_setting('idle_in_transaction_session_timeout')::interval) * 1000::double precision,
    'idleSessionTimeoutMs',
        date_part('epoch', current_setting('idle_session_timeout', true)::interval) * 1000::double precision,
    'transactionTimeoutMs',
        date_part('epoch', current_setting('transaction_timeout', true)::interval) * 1000::double precision,
    'maxConnections', current_setting('max_connections')::integer,
    'numReserved', current_setting('superuser_reserved_connections')::integer
        + coalesce(current_setting('reserved_connections', true)::integer, 0),
    'numConnections', (select coalesce(sum(numbackends), 0) from pg_catalog.pg_stat_database)
)::text, date_part('epoch', clock_timestamp()) * 1000::double precision`

/** Reads what matters of a server, and of the settings that this session has. */
export async function checkServer({ run }: Pick<Query, "run">): Promise<ServerFacts> {
    const [row] = await run(text, [])
    const facts = JSON.parse(row?.[0] ?? "{}") as Omit<ServerFacts, "atMs">
    return { ...facts, atMs: numberOrNull(row?.[1]) ?? 0 }
}
