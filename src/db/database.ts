import { InvalidOptionError } from "../errors.ts"
import type { Pool, SqlClient } from "./client.ts"
import { wasRolledBack } from "./failure.ts"
import { pgDriver } from "./pg-driver.ts"
import { embeddedDriver } from "./pglite-driver.ts"

/** A row as the server's own text, a cell per column: independent of the type parsers that the user may have set. */
export type Row = readonly (string | null)[]

/** Runs one statement and returns its rows. */
export type Run = (text: string, values: unknown[]) => Promise<Row[]>

/** What differs between a `pg` pool and PGlite. */
export interface Driver {
    query(params: { text: string; values: unknown[]; deadlineMs: number }): Promise<Row[]>
    transaction<T>(params: { work: (run: Run) => Promise<T>; deadlineMs: number }): Promise<T>
    /** Hears notifications until `stop`; absent where the pool offers no connection of its own for it. */
    listen?: Listen
}

/** Starts hearing a channel. `onLost` is called once, when it no longer does. */
export type Listen = (params: {
    channel: string
    onMessage: (payload: string) => void
    onLost: () => void
}) => Promise<{ stop: () => Promise<void> }>

/** How long a statement may take before its connection is given up as dead. */
const DEADLINE_MS = 10_000

/** How often work that the server rolled back is tried again. */
const MAX_ROLLBACKS = 8

/** The database behind one Config: statements and transactions with a deadline, and retries where they are safe. */
export class Database {
    readonly #driver: Driver

    constructor(pool: Pool) {
        this.#driver = driverFor(pool)
    }

    /** Runs one statement by itself. */
    query(text: string, values: unknown[] = [], deadlineMs: number = DEADLINE_MS): Promise<Row[]> {
        return retryRolledBack(() => this.#driver.query({ text, values, deadlineMs }))
    }

    /** Runs `work` in one transaction on one connection; rolls back when it throws. May run it more than once. */
    transaction<T>(work: (run: Run) => Promise<T>, deadlineMs: number = DEADLINE_MS): Promise<T> {
        return retryRolledBack(() => this.#driver.transaction({ work, deadlineMs }))
    }

    /** Hears notifications, where the pool can. */
    get listen(): Listen | undefined {
        return this.#driver.listen
    }
}

/** Runs a statement in the caller's own transaction, whatever its client returns rows as. */
export async function runOnClient(client: SqlClient, text: string, values: unknown[]): Promise<Row[]> {
    const { rows } = await client.query(text, values)
    return rows.map((row) => {
        const cells: unknown[] = Array.isArray(row) ? row : Object.values(row as object)
        return cells.map((cell) => (cell === null || cell === undefined ? null : String(cell)))
    })
}

async function retryRolledBack<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
        try {
            return await work()
        } catch (error) {
            if (!wasRolledBack(error) || tries === MAX_ROLLBACKS) throw error
            await new Promise((resolve) => setTimeout(resolve, Math.random() * 5 * 2 ** tries))
        }
    }
}

function driverFor(pool: unknown): Driver {
    const methods = typeof pool === "object" && pool !== null ? (pool as Record<string, unknown>) : {}
    if (typeof methods.connect === "function" && typeof methods.on === "function")
        return pgDriver(pool as never)
    if (typeof methods.transaction === "function" && typeof methods.listen === "function")
        return embeddedDriver(pool as never)
    throw new InvalidOptionError({
        option: "pool",
        message: "expected `pool` to be a `pg` Pool or a PGlite instance",
    })
}
