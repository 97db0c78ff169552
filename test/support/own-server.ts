import { randomBytes } from "node:crypto"
import pg from "pg"
import { inject, onTestFinished } from "vitest"
import {
    Config,
    type Daemon,
    type Event,
    Orchestrator,
    type OrchestratorOptions,
    Worker,
    type WorkerOptions,
} from "../../src/index.ts"
import { versionOf } from "./legs.ts"
import { PostgresServer } from "./postgres-server.ts"

/** A queue on a server, not on the one that all tests share. */
export interface OwnQueue {
    readonly config: Config
    readonly pool: pg.Pool
    /** The schema's name, quoted. */
    readonly schema: string
    readonly events: Event[]
    /** Another Config on the same schema, with a pool of its own. */
    otherConfig(poolOptions?: pg.PoolConfig): Config
    worker(options?: Partial<WorkerOptions>): Worker
    orchestrator(options?: Partial<OrchestratorOptions>): Orchestrator
    /** Ends the daemons and the pools; it happens at the end of the test in any case. */
    end(): Promise<void>
}

/** Starts a server of the leg's release that the test may do anything to. */
export async function startServer(flags: readonly string[] = []): Promise<PostgresServer> {
    const server = await PostgresServer.start({ version: versionOf(inject("leg")), flags })
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
    const events: Event[] = []
    const daemons: Daemon[] = []
    let ended: Promise<unknown> | undefined
    const end = async () => {
        for (const daemon of daemons) daemon.stop()
        ended ??= Promise.all(daemons.map((daemon) => daemon.join({ graceMs: 1_000 }))).then(() =>
            Promise.all(pools.map((each) => each.end())),
        )
        await ended
    }
    onTestFinished(end)
    await config.prepareSchema()
    const eventHandler = ({ event }: { event: Event }) => void events.push(event)
    const track = <D extends Daemon>(daemon: D): D => {
        daemons.push(daemon)
        return daemon
    }
    return {
        config,
        pool,
        schema: `"${schemaName}"`,
        events,
        otherConfig: (options) => new Config({ pool: makePool(options), schema: schemaName }),
        worker: (options) => track(new Worker({ config, processIntervalMs: 100, eventHandler, ...options })),
        orchestrator: (options) => track(new Orchestrator({ config, eventHandler, ...options })),
        end,
    }
}
