import { createHash, randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import pg from "pg"
import { expect, inject, onTestFinished } from "vitest"
import { Config, type Pool } from "../../src/index.ts"
import { type Daemons, makeDaemons } from "./daemons.ts"
import { USER } from "./postgres-server.ts"
import { securitySql } from "./security.ts"

/** What runs SQL for the test itself. */
export interface Sql {
    query(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>
}

/** A pool's options, and whom it connects as. */
export type QueuePoolOptions = pg.PoolConfig & { role?: string }

/** A queue in a schema of its own, and all that a test needs around it. Everything ends with the test. */
export interface Queue extends Omit<Daemons, "end"> {
    readonly config: Config
    readonly pool: Pool
    readonly sql: Sql
    /** The schema's name, quoted. */
    readonly schema: string
    readonly schemaName: string
    /** Another Config on the same schema, as another process would have, with a pool of its own. */
    otherConfig(poolOptions?: QueuePoolOptions): Config
    /** The live jobs, by id. */
    jobs(): Promise<Record<string, unknown>[]>
    /** The finalized jobs, by id. */
    history(): Promise<Record<string, unknown>[]>
}

/** Whether the tests run on a server, with several sessions. */
export function hasServer(): boolean {
    return inject("leg") !== "pglite"
}

/** Whether a connection to the server is one's own for more than a transaction, so that it can listen. */
export function hasSessions(): boolean {
    return hasServer() && inject("leg") !== "pgbouncer"
}

/** Where queues under test connect, as the role given or that of the leg. */
export function queueURL(role?: string): string {
    const url = new URL(inject("queueConnectionString"))
    if (role !== undefined) url.username = role
    // PgBouncer has two server connections for each name, so that each test has two of its own.
    const test = `${expect.getState().testPath} ${expect.getState().currentTestName}`
    if (inject("leg") === "pgbouncer")
        url.pathname = `/test_${createHash("sha256").update(test).digest("hex").slice(0, 32)}`
    return url.href
}

/** The same for what makes a schema of its own. */
export function ownerURL(): string {
    return queueURL(inject("leg") === "roles" ? USER : undefined)
}

/** Makes a pool for a queue under test, as its user would, that ends with the test. */
export function makePool({ role, ...options }: QueuePoolOptions = {}): pg.Pool {
    return endsWithTest({ connectionString: queueURL(role), max: 4, ...options })
}

/** Where the server itself is, past a pooler, for a role. */
export function directURL(role: string): string {
    const url = new URL(inject("connectionString"))
    url.username = role
    return url.href
}

/** Makes a pool for the test's own use that ends with it: for looking on, and for what needs a session or any right. */
export function makeDirectPool(options: pg.PoolConfig = {}): pg.Pool {
    return endsWithTest({ connectionString: inject("connectionString"), max: 2, ...options })
}

function endsWithTest(options: pg.PoolConfig): pg.Pool {
    const pool = new pg.Pool(options)
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

/** A name for the schema of a test. */
function randomName(): string {
    const name = `test_${randomBytes(8).toString("hex")}`
    return inject("leg") === "quoted" ? `Ünï "q" it's 100% \\ ${name}` : name
}

/** Makes a queue; with `isPrepared: false` its schema is not prepared yet. */
export async function makeQueue(
    params: { isPrepared?: boolean; schemaName?: string; pool?: QueuePoolOptions } = {},
): Promise<Queue> {
    const poolOptions = { ...roleOf(params.isPrepared), ...params.pool }
    const pool: Pool & Sql = hasServer()
        ? (makePool(poolOptions) as unknown as Pool & Sql)
        : await sharedEmbedded()
    const schemaName = params.schemaName ?? randomName()
    const schema = `"${schemaName.replaceAll('"', '""')}"`
    const sql: Sql = hasServer() ? (makeDirectPool() as unknown as Sql) : pool
    const config = new Config({ pool, schema: schemaName })
    const { end, ...daemons } = makeDaemons(config)
    onTestFinished(async () => {
        await end(2_000)
        await dropSchema(sql, schema)
    })
    if (params.isPrepared !== false) {
        if (inject("leg") === "roles") await prepareForRoles({ schemaName, schema })
        await config.prepareSchema()
    }
    return {
        config,
        pool,
        sql,
        schema,
        schemaName,
        ...daemons,
        otherConfig: (options) =>
            new Config({
                pool: hasServer() ? makePool({ ...roleOf(params.isPrepared), ...options }) : pool,
                schema: schemaName,
            }),
        jobs: async () => (await sql.query(`select * from ${schema}.job order by id`)).rows,
        history: async () => (await sql.query(`select * from ${schema}.job_history order by id`)).rows,
    }
}

/** A test that prepares the schema itself does so as a role that may. */
function roleOf(isPrepared: boolean | undefined): { role?: string } {
    return isPrepared === false && inject("leg") === "roles" ? { role: USER } : {}
}

/** Prepares a schema as docs/security.md has it: its owner makes the tables, and grants what the others need. */
export async function prepareForRoles(params: { schemaName: string; schema: string }): Promise<void> {
    const { schemaName, schema } = params
    await makeDirectPool().query(securitySql("schema", schema))
    const pool = makePool({ role: "cuckmq_owner", max: 1 })
    await new Config({ pool, schema: schemaName }).prepareSchema()
    await pool.query(securitySql("runtime", schema))
    await pool.query(securitySql("producer", schema))
    await pool.query(securitySql("inspector", schema))
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
