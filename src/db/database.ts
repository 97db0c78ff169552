import { InvalidOptionError } from "../errors.ts"
import { hasMethods } from "../options.ts"
import type { Pool, SqlClient } from "./client.ts"
import type { Driver, DriverOptions, Listen, Row, Run } from "./driver.ts"
import { wasRolledBack } from "./failure.ts"
import { pgDriver } from "./pg-driver.ts"
import { embeddedDriver } from "./pglite-driver.ts"

/** How long a statement may take before its connection is given up as dead. */
const DEADLINE_MS = 10_000

/** How often work that the server rolled back is tried again: where transactions are serializable, that is often. */
const MAX_ROLLBACKS = 20
const MAX_ROLLBACK_WAIT_MS = 500

/** The database behind one Config: statements and transactions with a deadline, and retries where they are safe. */
export class Database {
    readonly #driver: Driver
    /** Runs one statement by itself. */
    readonly run: Run = this.runWithin(DEADLINE_MS)

    constructor(pool: Pool, options: DriverOptions) {
        this.#driver = driverFor(pool, options)
    }

    /** Runs one statement by itself, with a deadline of its own. */
    runWithin(deadlineMs: number): Run {
        return (text, values, options) =>
            retryRolledBack(() => this.#driver.query({ text, values, deadlineMs, ...options }))
    }

    /** Runs `work` in one transaction on one connection; rolls back when it throws. May run it more than once. */
    transaction<T>(work: (run: Run) => Promise<T>, deadlineMs: number = DEADLINE_MS): Promise<T> {
        return retryRolledBack(() => this.#driver.transaction({ work, deadlineMs }))
    }

    /** What another thread needs to connect, where it can. */
    get connectionOptions(): object | undefined {
        return this.#driver.connectionOptions?.()
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
            const waitMs = Math.random() * Math.min(5 * 2 ** tries, MAX_ROLLBACK_WAIT_MS)
            await new Promise((resolve) => setTimeout(resolve, waitMs))
        }
    }
}

function driverFor(pool: unknown, options: DriverOptions): Driver {
    if (hasMethods(pool, ["connect", "on"])) return pgDriver(pool as never, options)
    if (hasMethods(pool, ["transaction", "listen"])) return embeddedDriver(pool as never)
    throw new InvalidOptionError({
        option: "pool",
        message: "expected `pool` to be a `pg` Pool or a PGlite instance",
    })
}
