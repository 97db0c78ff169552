import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import pg from "pg"
import { PostgresServer } from "../test/support/postgres-server.ts"
import { freePort } from "../test/support/unprivileged.ts"

/** Where the servers are, as every process of the benchmark is told. */
export interface Servers {
    connectionString: string
    postmasterPid: number
    /** Absent where Redis is not installed. */
    redisPort?: number
    redisPid?: number
}

/** Settings that differ from Postgres' own defaults. Durability does not: fsync and synchronous_commit are on. */
export const POSTGRES_SETTINGS = [
    "shared_buffers=1GB",
    "max_wal_size=8GB",
    "checkpoint_timeout=30min",
    "shared_preload_libraries=pg_stat_statements",
]

/** The release of Postgres that figures are kept of. */
export const DEFAULT_POSTGRES = 18

/** The favour is to Redis: nothing is written to disk. */
export const REDIS_SETTINGS = ["--save", "", "--appendonly", "no"]

/** A Postgres and, where it is installed, a Redis of our own, on free ports. */
export class BenchServers {
    readonly #postgres: PostgresServer
    readonly #redis: ChildProcess | undefined
    readonly addresses: Servers
    #isStopped = false

    private constructor(params: {
        postgres: PostgresServer
        redis: ChildProcess | undefined
        addresses: Servers
    }) {
        this.#postgres = params.postgres
        this.#redis = params.redis
        this.addresses = params.addresses
    }

    static async start(version: number): Promise<BenchServers> {
        const postgres = await PostgresServer.start({ version, flags: POSTGRES_SETTINGS })
        try {
            return await BenchServers.#startRest(postgres)
        } catch (error) {
            await postgres.destroy()
            throw error
        }
    }

    static async #startRest(postgres: PostgresServer): Promise<BenchServers> {
        const { connectionString } = postgres
        const client = new pg.Client({ connectionString })
        await client.connect()
        await client.query("create extension pg_stat_statements")
        // Switched on where queries are counted.
        await client.query("alter system set pg_stat_statements.track = 'none'")
        await client.query("select pg_reload_conf()")
        const { rows } = await client.query("select pg_backend_pid() as pid")
        const postmasterPid = parentOf(rows[0].pid)
        await client.end()
        const redis = redisVersion() === undefined ? undefined : await startRedis()
        return new BenchServers({
            postgres,
            redis: redis?.child,
            addresses: {
                connectionString,
                postmasterPid,
                ...(redis === undefined
                    ? {}
                    : { redisPort: redis.port, redisPid: redis.child.pid as number }),
            },
        })
    }

    /** The last resort, when this process ends without having stopped them. */
    kill(): void {
        this.#redis?.kill("SIGKILL")
        if (this.#isStopped) return
        try {
            process.kill(this.addresses.postmasterPid, "SIGQUIT")
        } catch {
            // It is gone already.
        }
    }

    async stop(): Promise<void> {
        if (this.#redis !== undefined && this.#redis.exitCode === null) {
            const ended = new Promise((resolve) => this.#redis?.once("exit", resolve))
            this.#redis.kill("SIGKILL")
            await ended
        }
        await this.#postgres.destroy()
        this.#isStopped = true
    }
}

/** The version of `redis-server` on the PATH. */
export function redisVersion(): string | undefined {
    try {
        return /v=(\S+)/.exec(execFileSync("redis-server", ["--version"], { encoding: "utf8" }))?.[1]
    } catch {
        return undefined
    }
}

async function startRedis(): Promise<{ child: ChildProcess; port: number }> {
    const port = await freePort()
    const address = ["--port", String(port), "--bind", "127.0.0.1"]
    const child = spawn("redis-server", [...address, ...REDIS_SETTINGS], {
        stdio: ["ignore", "pipe", "inherit"],
    })
    await new Promise<void>((resolve, reject) => {
        child.stdout?.on("data", (chunk: Buffer) => {
            if (chunk.toString().includes("Ready to accept connections")) resolve()
        })
        child.once("exit", (code) => reject(new Error(`redis-server ended with ${code}`)))
        child.once("error", reject)
    })
    return { child, port }
}

function parentOf(pid: number): number {
    return Number(/\nPPid:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1])
}
