import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import pg from "pg"
import { inject, onTestFinished } from "vitest"
import {
    Config,
    type Daemon,
    type Event,
    Orchestrator,
    type OrchestratorOptions,
    type Pool,
    Worker,
    type WorkerOptions,
} from "../../src/index.ts"

/** What runs SQL for the test itself. */
export interface Sql {
    query(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>
}

/** A queue in a schema of its own, and all that a test needs around it. Everything ends with the test. */
export interface Queue {
    readonly config: Config
    readonly pool: Pool
    readonly sql: Sql
    /** The schema's name, quoted. */
    readonly schema: string
    readonly schemaName: string
    /** The events of all workers and orchestrators of `worker()` and `orchestrator()`, in order. */
    readonly events: Event[]
    worker(options?: Partial<WorkerOptions>): Worker
    orchestrator(options?: Partial<OrchestratorOptions>): Orchestrator
    /** Another Config on the same schema, as another process would have, with a pool of its own. */
    otherConfig(poolOptions?: pg.PoolConfig): Config
    /** The live jobs, by id. */
    jobs(): Promise<Record<string, unknown>[]>
    /** The finalized jobs, by id. */
    history(): Promise<Record<string, unknown>[]>
}

/** Whether the tests run on a server, with several sessions. */
export function hasServer(): boolean {
    return inject("leg") !== "pglite"
}

/** Makes a pool of the tests' Postgres that ends with the test. */
export function makePool(options: pg.PoolConfig = {}): pg.Pool {
    const pool = new pg.Pool({ connectionString: inject("connectionString"), max: 4, ...options })
    onTestFinished(() => pool.end())
    return pool
}

let embedded: Promise<Pool & Sql> | undefined

/** One database for all tests of a file: it takes a second to start. */
function sharedEmbedded(): Promise<Pool & Sql> {
    embedded ??= import("@electric-sql/pglite").then(async ({ PGlite }) => {
        const loadDataDir = new Blob([readFileSync(inject("embeddedData"))])
        return (await PGlite.create({ loadDataDir })) as unknown as Pool & Sql
    })
    return embedded
}

/** Makes a queue; with `isPrepared: false` its schema is not prepared yet. */
export async function makeQueue(
    params: { isPrepared?: boolean; schemaName?: string; pool?: pg.PoolConfig } = {},
): Promise<Queue> {
    const pool: Pool & Sql = hasServer()
        ? (makePool(params.pool) as unknown as Pool & Sql)
        : await sharedEmbedded()
    const schemaName = params.schemaName ?? `test_${randomBytes(8).toString("hex")}`
    const schema = `"${schemaName.replaceAll('"', '""')}"`
    const sql: Sql = hasServer() ? (makePool({ max: 2 }) as unknown as Sql) : pool
    const config = new Config({ pool, schema: schemaName })
    const events: Event[] = []
    const daemons: Daemon[] = []
    onTestFinished(async () => {
        for (const daemon of daemons) daemon.stop()
        await Promise.all(daemons.map((daemon) => daemon.join({ graceMs: 2_000 })))
        await dropSchema(sql, schema)
    })
    if (params.isPrepared !== false) await config.prepareSchema()
    const eventHandler = ({ event }: { event: Event }) => void events.push(event)
    const track = <D extends Daemon>(daemon: D): D => {
        daemons.push(daemon)
        return daemon
    }
    return {
        config,
        pool,
        sql,
        schema,
        schemaName,
        events,
        worker: (options) => track(new Worker({ config, processIntervalMs: 100, eventHandler, ...options })),
        orchestrator: (options) => track(new Orchestrator({ config, eventHandler, ...options })),
        otherConfig: (poolOptions) =>
            new Config({ pool: hasServer() ? makePool(poolOptions) : pool, schema: schemaName }),
        jobs: async () => (await sql.query(`select * from ${schema}.job order by id`)).rows,
        history: async () => (await sql.query(`select * from ${schema}.job_history order by id`)).rows,
    }
}

/** Drops a schema. What a forced end left under way on the server may still be in it, and in the way. */
async function dropSchema(sql: Sql, schema: string): Promise<void> {
    for (let tries = 1; ; tries++) {
        try {
            await sql.query(`drop schema if exists ${schema} cascade`)
            return
        } catch (error) {
            if ((error as { code?: string }).code !== "40P01" || tries === 5) throw error
        }
    }
}

/** Waits until `probe` returns something that is neither undefined, null nor false, and returns it. */
export async function eventually<T>(
    probe: () => T | Promise<T>,
    withinMs = 15_000,
): Promise<Exclude<T, undefined | null | false>> {
    const deadline = performance.now() + withinMs
    for (;;) {
        const value = await probe()
        if (value !== undefined && value !== null && value !== false) {
            return value as Exclude<T, undefined | null | false>
        }
        if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${probe.toString()}`)
        await new Promise((resolve) => setTimeout(resolve, 10))
    }
}
