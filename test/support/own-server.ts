import { randomBytes } from "node:crypto"
import pg from "pg"
import { inject, onTestFinished } from "vitest"
import { Config } from "../../src/index.ts"
import { type Daemons, makeDaemons } from "./daemons.ts"
import { versionOf } from "./legs.ts"
import { PostgresServer } from "./postgres-server.ts"

/** A queue on a server, not on the one that all tests share. */
export interface OwnQueue extends Omit<Daemons, "end"> {
    readonly config: Config
    readonly pool: pg.Pool
    /** The schema's name, quoted. */
    readonly schema: string
    /** Another Config on the same schema, with a pool of its own. */
    otherConfig(poolOptions?: pg.PoolConfig): Config
    /** Ends the daemons and the pools; it happens at the end of the test in any case. */
    end(): Promise<void>
}

/** Whether a server of one's own differs from that of other legs: where the leg is a release, and no way to reach one. */
export function isLegOfRelease(): boolean {
    return /^\d+$/.test(inject("leg"))
}

/** Starts a server of the leg's release that the test may do anything to. */
export async function startServer(flags: readonly string[] = []): Promise<PostgresServer> {
    const server = await PostgresServer.start({
        version: versionOf(inject("leg")),
        flags,
        mayBeInMemory: true,
    })
    onTestFinished(() => server.destroy())
    return server
}

/** Makes a queue where the connection string says, with its schema prepared. */
export async function makeQueueAt(
    connectionString: string,
    poolOptions: pg.PoolConfig = {},
): Promise<OwnQueue> {
    const pools: pg.Pool[] = []
    const makePool = (options: pg.PoolConfig = {}) => {
        const pool = new pg.Pool({ connectionString, max: 4, ...options })
        pools.push(pool)
        return pool
    }
    const schemaName = `test_${randomBytes(8).toString("hex")}`
    const pool = makePool(poolOptions)
    const config = new Config({ pool, schema: schemaName })
    const daemons = makeDaemons(config)
    let ended: Promise<unknown> | undefined
    const end = async () => {
        ended ??= daemons.end(1_000).then(() => Promise.all(pools.map((each) => each.end())))
        await ended
    }
    onTestFinished(end)
    await config.prepareSchema()
    return {
        config,
        pool,
        schema: `"${schemaName}"`,
        ...daemons,
        otherConfig: (options) => new Config({ pool: makePool(options), schema: schemaName }),
        end,
    }
}
