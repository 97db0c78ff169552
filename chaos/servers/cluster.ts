import { readFileSync } from "node:fs"
import { join } from "node:path"
import pg from "pg"
import { PostgresServer } from "../../test/support/postgres-server.ts"
import { insist } from "./insist.ts"

/** Connections of the superuser are kept free when everyone else has exhausted theirs. */
const NUM_RESERVED = 12
export const MAX_CONNECTIONS = 100

/** The server under test is durable, looks for deadlocks early, and vacuums often. */
const SETTINGS_UNDER_TEST = [
    `max_connections=${MAX_CONNECTIONS}`,
    `superuser_reserved_connections=${NUM_RESERVED}`,
    "fsync=on",
    "synchronous_commit=on",
    "deadlock_timeout=50ms",
    "log_line_prefix=%m [%p] %u ",
    "autovacuum_naptime=5s",
    "shared_buffers=256MB",
    "max_wal_size=4GB",
    "checkpoint_timeout=10min",
]

/** Nothing happens to the ledger, and it is filled once, after the campaign. */
const LEDGER_SETTINGS = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "shared_buffers=512MB",
    "work_mem=64MB",
    "max_wal_size=8GB",
]

/** A Postgres of the campaign's, with a superuser's pool that nothing of what happens to others happens to. */
export class Cluster {
    readonly #server: PostgresServer
    readonly admin: pg.Pool
    #postmasterPid: number | undefined

    private constructor(server: PostgresServer) {
        this.#server = server
        const url = new URL(server.connectionString)
        // The admin's sessions must work while the role's, or all others, are made to fail.
        url.searchParams.set("options", "-c default_transaction_read_only=off -c statement_timeout=0")
        url.searchParams.set("application_name", "chaos-admin")
        this.admin = new pg.Pool({ connectionString: url.href, max: 6, connectionTimeoutMillis: 5_000 })
        this.admin.on("error", () => undefined)
    }

    /** `folder` gets the server's log: of what a deadlock was, nobody else knows. */
    static async start(of: "test" | "ledger", folder: string): Promise<Cluster> {
        const flags = of === "test" ? SETTINGS_UNDER_TEST : LEDGER_SETTINGS
        const logFile = join(folder, `server-${of}.log`)
        const cluster = new Cluster(await PostgresServer.start({ version: 18, flags, logFile }))
        await cluster.#findPostmaster()
        return cluster
    }

    get port(): number {
        return this.#server.port
    }

    get connectionString(): string {
        return this.#server.connectionString
    }

    /**
     * How many statements of a role were ended because of a deadlock. The server's own counter also has those that
     * faults make among themselves, such as a reindexing that meets an analysis. Reads the whole log.
     */
    numDeadlocks(role: string): number {
        return this.#server.log.split(`${role} ERROR:  deadlock detected`).length - 1
    }

    /** Ends the server as a crash would, and starts it again; resolves when it takes connections. */
    async crash(): Promise<void> {
        await this.#server.stop("immediate")
        await this.restart()
    }

    /** Ends the server in good order if it runs, and starts it. */
    async restart(): Promise<void> {
        await this.#server.restart()
        await this.#findPostmaster()
    }

    /** The last resort, when this process ends without having stopped it. */
    kill(): void {
        if (this.#postmasterPid === undefined) return
        try {
            process.kill(this.#postmasterPid, "SIGQUIT")
        } catch {
            // It is gone already.
        }
    }

    async destroy(): Promise<void> {
        await this.admin.end().catch(() => undefined)
        await this.#server.destroy()
        this.#postmasterPid = undefined
    }

    async #findPostmaster(): Promise<void> {
        // A session of the pool may be one that ended with the server, and not know it yet.
        const { rows } = await insist(() =>
            this.admin.query<{ pid: number }>("select pg_backend_pid() as pid"),
        )
        const status = readFileSync(`/proc/${rows[0]?.pid}/status`, "utf8")
        this.#postmasterPid = Number(/\nPPid:\s*(\d+)/.exec(status)?.[1])
    }
}
