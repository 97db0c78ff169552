/** A row as the server's own text, a cell per column: independent of the type parsers that the user may have set. */
export type Row = readonly (string | null)[]

/** Runs one statement and returns its rows. */
export type Run = (text: string, values: unknown[], options?: RunOptions) => Promise<Row[]>

/** How a statement is run. */
export interface RunOptions {
    /** Whether its connection may keep the statement prepared. In a transaction none is. */
    prepared?: Preparation
}

/**
 * When a statement may stay prepared on its connection, which saves the server to parse it, and to plan it once the
 * server trusts its plan. Such a plan does not follow the tables as they grow, until they are analyzed.
 */
export interface Preparation {
    /** `while-quick`, for one whose plan depends on the tables: when that plan is to blame for its length, it is planned anew. */
    readonly keep: "always" | "while-quick"
    /** Tells the process of the server that a connection has. */
    readonly processText: string
}

/** One statement that stands alone. */
export interface Statement extends RunOptions {
    text: string
    values: unknown[]
    deadlineMs: number
}

/** What a Config asks of its driver. */
export interface DriverOptions {
    /** Whether statements that may be prepared are. */
    preparedStatements: boolean
}

/** What differs between a `pg` pool and PGlite. */
export interface Driver {
    query(statement: Statement): Promise<Row[]>
    transaction<T>(params: { work: (run: Run) => Promise<T>; deadlineMs: number }): Promise<T>
    /** Hears notifications until `stop`; absent where the pool offers no connection of its own for it. */
    listen?: Listen
    /** What another thread needs to connect to the same database; absent where that cannot be handed over. */
    connectionOptions?: () => object | undefined
}

/** Starts hearing a channel. `onLost` is called once, when it no longer does. */
export type Listen = (params: {
    channel: string
    onMessage: (payload: string) => void
    onLost: () => void
}) => Promise<Listening>

/** What hears. */
export interface Listening {
    /** Hears another channel too. */
    add(channel: string): Promise<void>
    stop(): Promise<void>
}
