import pg from "pg"

/** The commit was sent and its answer never came: what was done may stand or not. */
export class UnknownOutcomeError extends Error {}

/**
 * A user's own pool, made as a careful user makes it: it hears errors from the first moment of each connection, also
 * while that is in use, and no query waits for ever.
 */
export function makePool(params: { connectionString: string; process: string; max: number }): pg.Pool {
    const pool = new pg.Pool({
        connectionString: params.connectionString,
        application_name: params.process,
        max: params.max,
        connectionTimeoutMillis: 5_000,
        query_timeout: 10_000,
    })
    pool.on("error", ignore)
    pool.on("connect", (client) => client.on("error", ignore))
    return pool
}

/**
 * Runs a user's own transaction. When `work` throws it is rolled back, and that error thrown on. The connection goes back
 * to the pool only if all went well.
 */
export async function inTransaction<T>(
    pool: pg.Pool,
    work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
    const client = await pool.connect()
    let isWhole = false
    try {
        await client.query("begin")
        let result: T
        try {
            result = await work(client)
        } catch (error) {
            await client.query("rollback")
            isWhole = true
            throw error
        }
        await commit(client)
        isWhole = true
        return result
    } finally {
        client.release(!isWhole)
    }
}

async function commit(client: pg.PoolClient): Promise<void> {
    let command: string
    try {
        command = (await client.query("commit")).command
    } catch (error) {
        throw new UnknownOutcomeError(`the commit failed: ${String(error)}`)
    }
    if (command !== "COMMIT") throw new Error(`the commit answered ${command}`)
}

function ignore(): void {}
