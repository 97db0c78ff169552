import { Config, Inspector } from "../index.ts"
import type { Database, Queue } from "./command.ts"
import { NoDatabaseError, UsageError } from "./exit.ts"
import type { Io, OwnPool } from "./io.ts"

/** A connection is had within this time, or not at all. */
const CONNECT_MS = 5_000

/** How long the end of connections may take. */
const END_MS = 500

/** What a queue takes that is looked after: one statement at a time, or two. */
const NUM_CONNECTIONS = 2

/** Connections to a database. */
export interface OpenDatabase extends Database {
    close(): Promise<void>
}

/** A queue, and the connections to it. */
export interface OpenQueue extends Queue {
    close(): Promise<void>
}

/** Opens a queue. Nothing is sent yet. */
export async function openQueue(params: {
    url: string | undefined
    schema: string | undefined
    io: Io
}): Promise<OpenQueue> {
    const { schema, ...rest } = params
    const { pool, close } = await openDatabase({ ...rest, numConnections: NUM_CONNECTIONS })
    const config = new Config({ pool, ...(schema === undefined ? {} : { schema }) })
    return { config, inspector: new Inspector({ config }), close }
}

/** Opens a database. Nothing is sent yet. */
export async function openDatabase(params: {
    url: string | undefined
    numConnections: number
    io: Io
}): Promise<OpenDatabase> {
    const connectionString = checkedURL(params.url)
    const Pool = await loadPool(params.io)
    const pool = new Pool({
        connectionString,
        max: params.numConnections,
        connectionTimeoutMillis: CONNECT_MS,
        fallback_application_name: "cuckmq",
    })
    const { host } = new URL(connectionString)
    return {
        pool,
        place: host === "" ? "a local socket" : host,
        isEmbedded: false,
        close: () => closeWithin(pool),
    }
}

/** Starts a database inside the process. */
export async function openEmbedded(io: Io): Promise<OpenDatabase> {
    const { embeddedPool } = await io.loadEmbedded()
    try {
        const pool = await embeddedPool()
        return { pool, place: "this process", isEmbedded: true, close: () => closeWithin(pool) }
    } catch (error) {
        if ((error as { code?: unknown }).code !== "CUCKMQ_EMBEDDED_NOT_INSTALLED") throw error
        throw new UsageError(
            "no database: give --database-url, set DATABASE_URL, or run `npm install @electric-sql/pglite` for one inside the process",
        )
    }
}

async function loadPool(io: Io) {
    try {
        return (await io.loadPg()).Pool
    } catch (cause) {
        throw new NoDatabaseError(
            "the package `pg`, which the command line connects with, is not installed: run `npm install pg`",
            { cause },
        )
    }
}

/** Refuses what would be read differently from what was meant: a message about it might then show a part of a password. */
function checkedURL(url: string | undefined): string {
    if (url === undefined || url === "")
        throw new UsageError("no database: give --database-url, or set DATABASE_URL")
    const parsed = URL.canParse(url) ? new URL(url) : undefined
    if (
        parsed === undefined ||
        !/^(postgres|postgresql|socket):$/.test(parsed.protocol) ||
        parsed.hash !== ""
    )
        throw new UsageError(
            "the database's URL cannot be read: expected postgres://user:password@host:port/name, with characters such as # / ? in a password percent-encoded",
        )
    return url
}

/** Takes passwords out of a text: that of the URL, as it is and decoded, and those of any other URL. */
export function withoutPassword(text: string, url: string | undefined): string {
    const secrets = passwordsIn(url ?? "").sort((a, b) => b.length - a.length)
    const hidden = secrets.reduce((rest, secret) => rest.replaceAll(secret, "***"), text)
    return hidden.replace(/([a-z][a-z0-9+.-]*:\/\/[^\s:@/]*):[^\s]*@/gi, "$1:***@")
}

function passwordsIn(url: string): string[] {
    const [, given = ""] = /^[^:/]+:\/\/[^:@/]*:(.*)@/s.exec(url) ?? []
    const parsed = URL.canParse(url) ? new URL(url) : undefined
    const all = [given, parsed?.password ?? "", ...(parsed?.searchParams.getAll("password") ?? [])]
    return [...new Set(all.flatMap((secret) => [secret, decoded(secret)]))].filter((secret) => secret !== "")
}

function decoded(text: string): string {
    try {
        return decodeURIComponent(text)
    } catch {
        return text
    }
}

/** A connection that does not answer must not hold the process. */
async function closeWithin(pool: OwnPool): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const isLate = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, END_MS)
    })
    await Promise.race([pool.end().catch(() => undefined), isLate])
    clearTimeout(timer)
}
