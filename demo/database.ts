import { Pool } from "pg"

/** All tables of the demo are in it, so that it touches nothing else of yours. */
export const SCHEMA = "cuckmq_demo"

/** The database that the demo runs on. */
export interface DemoDatabase {
    /** What it is, for people. */
    readonly label: string
    /** What `new Config({ pool })` takes. */
    readonly pool: Pool | import("cuckmq/embedded").EmbeddedPool
    /** Whether the jobs are still there when the demo has ended. */
    readonly isKept: boolean
    /** Runs SQL of the application: here, of the report and the summary. */
    query<Row>(text: string, values?: unknown[]): Promise<Row[]>
    end(): Promise<void>
}

/** The Postgres that DATABASE_URL names; without it, one inside this process. The demo's schema is made anew. */
export async function openDatabase(): Promise<DemoDatabase> {
    const url = process.env.DATABASE_URL
    const database = url === undefined || url === "" ? await openEmbedded() : openServer(url)
    await database.query(`drop schema if exists ${SCHEMA} cascade`)
    return database
}

async function openEmbedded(): Promise<DemoDatabase> {
    // Only imported when it is needed: it loads a whole Postgres.
    const { embeddedPool } = await import("cuckmq/embedded")
    const pool = await embeddedPool()
    return {
        label: "PGlite, a Postgres inside this process",
        pool,
        isKept: false,
        query: async <Row>(text: string, values: unknown[] = []) =>
            (await pool.query<Row>(text, values)).rows,
        end: () => pool.end(),
    }
}

function openServer(connectionString: string): DemoDatabase {
    const pool = new Pool({ connectionString, connectionTimeoutMillis: 5_000 })
    return {
        label: `Postgres at ${new URL(connectionString).host}`,
        pool,
        isKept: true,
        query: async <Row>(text: string, values: unknown[] = []) =>
            (await pool.query(text, values)).rows as Row[],
        end: () => pool.end(),
    }
}
