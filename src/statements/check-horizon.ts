import type { Query } from "./query.ts"

/** What keeps the remains of changed rows from being vacuumed. */
export interface HorizonHolder {
    kind: "session" | "prepared-transaction" | "replication-slot"
    /** A session's process id, a prepared transaction's id, or a slot's name. */
    name: string
    /** Who: a session's role and application, a prepared transaction's owner, a slot's kind. */
    who: string
    /** A session's state, and whether a slot is used. */
    state: string
    /** For how many milliseconds; null where nobody knows. */
    heldMs: number | null
    /** How many transactions began since then. */
    numTransactions: number
}

/** All that holds a snapshot, and whether sessions of other roles could be seen. */
export interface Horizon {
    holders: HorizonHolder[]
    isSeenWhole: boolean
}

/**
 * Tables of a database are kept from being vacuumed by its own sessions, by its prepared transactions, and by slots and
 * replicas, which count for all databases. What a query says is not read: it may hold secrets.
 */
const text = /* sql */ `-- cuckmq: check-horizon
with holder as (
    select 'session' as kind, pid::text as name, concat_ws(', ', usename, nullif(application_name, ''), host(client_addr)) as who,
        coalesce(state, backend_type) as state, clock_timestamp() - xact_start as held,
        greatest(age(backend_xmin), age(backend_xid)) as num_transactions
    from pg_catalog.pg_stat_activity
    where pid <> pg_backend_pid() and coalesce(backend_xmin, backend_xid) is not null
        and (datname = current_database() or backend_type = 'walsender')
    union all
    select 'prepared-transaction', gid, owner, 'prepared', clock_timestamp() - prepared, age(transaction)
    from pg_catalog.pg_prepared_xacts
    where database = current_database()
    union all
    select 'replication-slot', slot_name, slot_type, case when active then 'active' else 'inactive' end, null,
        greatest(age(xmin), age(catalog_xmin))
    from pg_catalog.pg_replication_slots
    where coalesce(xmin, catalog_xmin) is not null
)
select pg_catalog.jsonb_build_object(
    'isSeenWhole', pg_has_role('pg_read_all_stats', 'usage'),
    'holders', coalesce((
        select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
            'kind', kind, 'name', name, 'who', who, 'state', state, 'numTransactions', num_transactions,
            'heldMs', date_part('epoch', held) * 1000::double precision
        ))
        from (select * from holder order by num_transactions desc limit $1::integer) as oldest
    ), '[]')
)::text`

const MAX_HOLDERS = 20

/** Finds what holds old snapshots, the oldest first. */
export async function checkHorizon({ run }: Pick<Query, "run">): Promise<Horizon> {
    const [row] = await run(text, [MAX_HOLDERS])
    return JSON.parse(row?.[0] ?? "{}") as Horizon
}
