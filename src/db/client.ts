import { InvalidOptionError } from "../errors.ts"
import { hasMethods } from "../options.ts"

/**
 * The least that `defer` and `complete` need of a caller's transaction: a `pg` client, a PGlite transaction, or
 * anything else with this one method.
 */
export interface SqlClient {
    query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>
}

/** Refuses a client that cannot run SQL. */
export function checkedClient(client: SqlClient): SqlClient {
    if (!hasMethods(client, ["query"])) {
        throw new InvalidOptionError({
            option: "client",
            message: "expected `client` to have a `query(text, values)` method",
        })
    }
    return client
}

/** A connection of a `pg` pool, as far as cuckmq uses it. */
export interface PgClient {
    /** Of the server's process, as the server told when the connection began. */
    readonly processID?: number
    query(config: PgQuery): Promise<{ rows: unknown[] }>
    on(event: "error", listener: (error: Error) => void): unknown
    off(event: "error", listener: (error: Error) => void): unknown
    release(destroy?: boolean): void
}

/** A query as `pg` takes it when rows are to come as arrays of the server's own text. */
export interface PgQuery {
    /** Keeps the statement prepared on its connection, under this name. */
    name?: string
    text: string
    values: unknown[]
    rowMode: "array"
    types: { getTypeParser(): (value: string) => string }
}

/** A `pg` pool, as far as cuckmq uses it. */
export interface PgPool {
    connect(): Promise<PgClient>
    on(event: "error", listener: (error: Error) => void): unknown
    on(event: "connect", listener: (client: PgClient) => void): unknown
}

/** A PGlite instance, as far as cuckmq uses it. */
export interface PGliteDatabase {
    query(
        text: string,
        values?: unknown[],
        options?: { rowMode?: "array"; parsers?: Record<number, (value: string) => unknown> },
    ): Promise<{ rows: unknown[] }>
    transaction<T>(work: (transaction: Pick<PGliteDatabase, "query">) => Promise<T>): Promise<T>
    listen(channel: string, listener: (payload: string) => void): Promise<() => Promise<void>>
}

/** What `Config` takes as its pool: a `pg` pool, or a PGlite instance for a database inside the process. */
export type Pool = PgPool | PGliteDatabase
