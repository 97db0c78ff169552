import { type ChildProcess, spawn } from "node:child_process"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PASSWORD, USER } from "./postgres-server.ts"
import { freePort, giveAway, unprivileged } from "./unprivileged.ts"

/** How many connections to the server PgBouncer opens for a database and user. */
export const NUM_SERVER_CONNECTIONS = 2

/**
 * A PgBouncer in transaction mode. Every database name that a client gives leads to the same database of the server,
 * with a pool of server connections of its own: so each test has one. It refuses the startup parameters that it does
 * not know, as it does unless told otherwise.
 */
export class PgBouncer {
    readonly #port: number
    readonly #folder: string
    readonly #process: ChildProcess

    private constructor(params: { port: number; folder: string; process: ChildProcess }) {
        this.#port = params.port
        this.#folder = params.folder
        this.#process = params.process
    }

    /** Starts one before the Postgres on `serverPort`. */
    static async start(serverPort: number): Promise<PgBouncer> {
        const folder = mkdtempSync(join(tmpdir(), "cuckmq-pgbouncer-"))
        const port = await freePort()
        const [configFile, usersFile] = [join(folder, "pgbouncer.ini"), join(folder, "users.txt")]
        writeFileSync(usersFile, `"${USER}" "${PASSWORD}"\n`)
        writeFileSync(configFile, configText({ port, serverPort, usersFile }))
        giveAway([folder, configFile, usersFile])
        chmodSync(folder, 0o700)
        // Debian installs it where only root looks for programs.
        const path = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`
        const child = spawn("pgbouncer", [configFile], {
            ...unprivileged(),
            cwd: folder,
            env: { ...process.env, PATH: path },
            stdio: ["ignore", "ignore", "pipe"],
        })
        const pgBouncer = new PgBouncer({ port, folder, process: child })
        await new Promise<void>((resolve, reject) => {
            let log = ""
            child.stderr.on("data", (chunk: Buffer) => {
                log = (log + chunk.toString()).slice(-10_000)
                if (log.includes("process up")) resolve()
            })
            child.once("error", (error) => reject(new Error(`is pgbouncer installed? ${error.message}`)))
            child.once("exit", (code) => reject(new Error(`pgbouncer ended with ${code}: ${log}`)))
        })
        return pgBouncer
    }

    get connectionString(): string {
        return `postgresql://${USER}:${PASSWORD}@127.0.0.1:${this.#port}/postgres`
    }

    /** Ends it and removes its folder. */
    async destroy(): Promise<void> {
        const ended = new Promise((resolve) => this.#process.once("exit", resolve))
        this.#process.kill("SIGKILL")
        await ended
        rmSync(this.#folder, { recursive: true, force: true })
    }
}

/** Idle server connections go soon, or those of all tests would add up to more than the server takes. */
function configText(params: { port: number; serverPort: number; usersFile: string }): string {
    return `[databases]
* = host=127.0.0.1 port=${params.serverPort} dbname=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${params.port}
unix_socket_dir =
auth_type = md5
auth_file = ${params.usersFile}
auth_user = ${USER}
auth_query = select usename, '${PASSWORD}' from pg_catalog.pg_shadow where usename = $1
admin_users = ${USER}
pool_mode = transaction
default_pool_size = ${NUM_SERVER_CONNECTIONS}
max_client_conn = 1000
server_idle_timeout = 10
`
}
