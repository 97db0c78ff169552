import type pg from "pg"
import type { Pool } from "../../src/index.ts"

interface Query {
    text: string
}

type Wait = (text: string) => Promise<void> | undefined

/** A pool that passes everything on, and lets the test come before each statement whose text contains `part`. */
export function waitsBefore(pool: pg.Pool, part: string, wait: (text: string) => Promise<void>): Pool {
    return waitsAround(pool, { before: (text) => (text.includes(part) ? wait(text) : undefined) })
}

/** A pool that passes everything on, and lets the test come before each statement, and between it and its answer. */
export function waitsAround(pool: pg.Pool, { before, after }: { before?: Wait; after?: Wait }): Pool {
    return passingOn(pool, async (client, query) => {
        await before?.(query.text)
        const result = await client.query(query as unknown as string)
        await after?.(query.text)
        return result
    })
}

/**
 * A pool that passes everything on, but whose clients do not hear the answer to the next statement whose text
 * contains `part` and that returned rows: the server has done what it says, and the connection is gone.
 */
export function losesOneAnswer(pool: pg.Pool, part: string): Pool & { readonly hasLost: boolean } {
    let hasLost = false
    const passOn = async (client: pg.PoolClient, query: Query) => {
        const result = await client.query(query as unknown as string)
        if (hasLost || !query.text.includes(part) || result.rows.length === 0) return result
        hasLost = true
        throw new Error("Connection terminated unexpectedly")
    }
    return Object.defineProperty(passingOn(pool, passOn), "hasLost", { get: () => hasLost }) as Pool & {
        readonly hasLost: boolean
    }
}

/**
 * A pool that passes everything on but the next `num` statements whose text contains `part`: in place of each, the
 * server is given one that it refuses with the SQLSTATE given, or that ends its session.
 */
export function refusesNext(
    pool: pg.Pool,
    params: { part: string; num: number; sqlState: string },
): Pool & { readonly numRefused: number } {
    let numRefused = 0
    const refusal =
        params.sqlState === "57P01"
            ? "select pg_terminate_backend(pg_backend_pid())"
            : `do $$ begin raise exception 'refused' using errcode = '${params.sqlState}'; end $$`
    const passOn = async (client: pg.PoolClient, query: Query) => {
        if (numRefused === params.num || !query.text.includes(params.part))
            return client.query(query as unknown as string)
        numRefused++
        return client.query(refusal)
    }
    return Object.defineProperty(passingOn(pool, passOn), "numRefused", { get: () => numRefused }) as Pool & {
        readonly numRefused: number
    }
}

function passingOn(
    pool: pg.Pool,
    passOn: (client: pg.PoolClient, query: Query) => Promise<pg.QueryResult>,
): Pool {
    return {
        on: (event: string, listener: never) => pool.on(event as "error", listener),
        connect: async () => {
            const client = await pool.connect()
            return {
                query: (query: Query) => passOn(client, query),
                on: (event: "error", listener: (error: Error) => void) => client.on(event, listener),
                off: (event: "error", listener: (error: Error) => void) => client.off(event, listener),
                release: (destroy?: boolean) => client.release(destroy),
            }
        },
    }
}
