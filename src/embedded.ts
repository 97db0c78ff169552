import { mkdirSync } from "node:fs"
import { join, resolve } from "node:path"
import type { PGlite } from "@electric-sql/pglite"
import { type FileLock, lockFile } from "./embedded/file-lock.ts"
import { CuckmqError, DatabaseError, EmbeddedInUseError, EmbeddedNotInstalledError } from "./errors.ts"
import { folderPath, knownOptions } from "./options.ts"

export { EmbeddedInUseError, EmbeddedNotInstalledError } from "./errors.ts"

/** The options of an embedded database. */
export interface EmbeddedPoolOptions {
    /**
     * The folder that the database is kept in. Made when it is not there, and opened as it was left when it is, also
     * after a crash. It serves one process at a time, which holds the file `cuckmq.lock` in it; processes that
     * cannot see each other, in two containers or on two machines, must not share one. Default: none. The database
     * is in memory and ends with the process.
     */
    dataDir?: string
}

/** A PGlite instance, to be given to a Config and to be queried by the application too. */
export type EmbeddedPool = PGlite & {
    /**
     * Closes the database and gives its folder free. End it after your daemons have stopped. May be called again;
     * `close()` and `await using` do the same.
     */
    end(): Promise<void>
}

/** In the folder of the database, next to Postgres' own files. */
const LOCK_FILE = "cuckmq.lock"

/**
 * Starts a Postgres inside this process, for development, tests and small applications: `new Config({ pool: await
 * embeddedPool() })`. It is PGlite, Postgres compiled to WebAssembly, from the package `@electric-sql/pglite`, which
 * you install beside cuckmq.
 *
 * It has one session: statements run one after the other, on the thread of your application, and a transaction that
 * is open keeps all others waiting. Jobs still run concurrently. Starting takes one second to some, and about 100 MB
 * of memory. The way to more than one process is a Postgres server.
 *
 * @throws InvalidOptionError for an option that is unknown or no folder's path.
 * @throws EmbeddedNotInstalledError when PGlite is not installed.
 * @throws EmbeddedInUseError when another process, or this one, has the folder open.
 * @throws DatabaseError when the folder cannot be written, or holds no database that can be opened.
 */
export async function embeddedPool(options: EmbeddedPoolOptions = {}): Promise<EmbeddedPool> {
    knownOptions("embeddedPool", options, ["dataDir"])
    const dataDir =
        options.dataDir === undefined ? undefined : resolve(folderPath("dataDir", options.dataDir))
    const { PGlite: Database } = await importPGlite()
    let lock: FileLock | undefined
    try {
        if (dataDir !== undefined) lock = lockFolder(dataDir)
        return withEnd(await Database.create(dataDir === undefined ? {} : { dataDir }), lock)
    } catch (error) {
        lock?.release()
        throw toOpenError(error)
    }
}

async function importPGlite(): Promise<typeof import("@electric-sql/pglite")> {
    try {
        return await import("@electric-sql/pglite")
    } catch (cause) {
        if (codeOf(cause)?.endsWith("MODULE_NOT_FOUND")) throw new EmbeddedNotInstalledError({ cause })
        throw toOpenError(cause)
    }
}

function lockFolder(dataDir: string): FileLock {
    mkdirSync(dataDir, { recursive: true })
    const lock = lockFile(join(dataDir, LOCK_FILE))
    if ("heldBy" in lock) throw new EmbeddedInUseError({ dataDir, pid: lock.heldBy })
    return lock
}

function toOpenError(cause: unknown): CuckmqError {
    if (cause instanceof CuckmqError) return cause
    return new DatabaseError({ action: "embeddedPool", sqlState: codeOf(cause), retryable: false, cause })
}

function codeOf(error: unknown): string | undefined {
    if (!(error instanceof Error) || !("code" in error)) return undefined
    return typeof error.code === "string" ? error.code : undefined
}

/** One way to end it, under every name that people look for. */
function withEnd(database: PGlite, lock: FileLock | undefined): EmbeddedPool {
    const close = database.close.bind(database)
    let ended: Promise<void> | undefined
    const end = () => {
        ended ??= close().finally(() => lock?.release())
        return ended
    }
    return Object.assign(database, { end, close: end, [Symbol.asyncDispose]: end })
}
