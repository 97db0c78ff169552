import { monotonicMs } from "../clock.ts"
import type { PgClient, PgPool, PgQuery } from "./client.ts"
import { connectionOptions } from "./connection-options.ts"
import type { Driver, DriverOptions, Listen, Row, Run, Statement } from "./driver.ts"
import { NoAnswerError, NotSentError, wasPreparedElsewhere } from "./failure.ts"
import { type PreparedStatements, preparedOn } from "./prepared.ts"
import { cutStuckConnections } from "./stuck-connections.ts"

/** Cells stay the server's own text: parsers that the user has set for `pg` must not change what we read. */
const AS_TEXT: PgQuery["types"] = { getTypeParser: () => (value) => value }

/** How long the listening connection may take to be made, and to begin to hear. */
const LISTEN_DEADLINE_MS = 10_000

/** How long it may take to be ended in good order. */
const END_DEADLINE_MS = 500

/** A connection that is ours alone: what `pg` calls a Client. */
interface DedicatedClient {
    connect(): Promise<unknown>
    query(text: string): Promise<unknown>
    end(): Promise<void>
    readonly connection?: { readonly stream?: { destroy(): void } }
    on(event: "notification", listener: (message: { payload?: string }) => void): unknown
    on(event: "error", listener: (error: Error) => void): unknown
    on(event: "end", listener: () => void): unknown
}

/** The pools that have our error listener; several Configs may share one. */
const guarded = new WeakSet<PgPool>()

/** Runs statements over a `pg` pool. A connection that fails, or answers too late, is destroyed and not reused. */
export function pgDriver(pool: PgPool, { preparedStatements }: DriverOptions): Driver {
    if (!guarded.has(pool)) {
        // Without a listener, an idle connection that the server cuts would end the process.
        pool.on("error", ignore)
        // The same for one that is cut right after its start, between the pool's listener and the next one's.
        pool.on("connect", (client) => client.on("error", ignore))
        guarded.add(pool)
    }
    const listen = listenWith(pool)
    const statements = preparedStatements ? preparedOn(pool) : undefined
    return {
        query: (statement) => runAlone(pool, statement, statements),
        transaction: ({ work, deadlineMs }) =>
            withClient({
                pool,
                deadlineMs,
                work: (client) =>
                    inTransaction((text, values) => runWithin(client, { text, values, deadlineMs }), work),
            }),
        ...(listen === undefined ? {} : { listen }),
        connectionOptions: () => connectionOptions(pool),
    }
}

async function runAlone(
    pool: PgPool,
    statement: Statement,
    statements: PreparedStatements | undefined,
): Promise<Row[]> {
    const { text, prepared, deadlineMs } = statement
    const runAs = (name?: string) => (client: PgClient) => runWithin(client, statement, name)
    if (statements === undefined || prepared === undefined)
        return withClient({ pool, deadlineMs, work: runAs() })
    let name: string | undefined
    const runPrepared = async (client: PgClient): Promise<Row[]> => {
        if (!statements.isLearned) {
            const asking = { text: prepared.processText, values: [], deadlineMs }
            await statements.learn(client.processID, async () => (await runWithin(client, asking))[0]?.[0])
        }
        name = statements.nameOf(text, prepared.keep)
        const sentMs = monotonicMs()
        const rows = await runAs(name)(client)
        const durationMs = monotonicMs() - sentMs
        statements.took({ text, ...prepared, isKept: name !== undefined, durationMs, numRows: rows.length })
        return rows
    }
    try {
        return await withClient({ pool, deadlineMs, work: runPrepared })
    } catch (error) {
        if (name === undefined || !wasPreparedElsewhere(error)) throw error
        statements.giveUp()
        return withClient({ pool, deadlineMs, work: runAs() })
    }
}

async function inTransaction<T>(run: Run, work: (run: Run) => Promise<T>): Promise<T> {
    // Our transactions lock first and then look; a role's default may be a level at which they would not see.
    await run("begin isolation level read committed", [])
    try {
        const result = await work(run)
        await run("commit", [])
        return result
    } catch (error) {
        // A failed rollback must not hide the cause. A connection that does not answer is destroyed without one.
        if (!(error instanceof NoAnswerError)) await run("rollback", []).catch(ignore)
        throw error
    }
}

async function withClient<T>(params: {
    pool: PgPool
    deadlineMs: number
    work: (client: PgClient) => Promise<T>
}): Promise<T> {
    const client = await connectWithin(params.pool, params.deadlineMs)
    client.on("error", ignore)
    let isBroken = true
    try {
        const result = await params.work(client)
        isBroken = false
        return result
    } catch (error) {
        // The server's refusals leave the connection usable; anything else may not.
        isBroken = !isRefusal(error)
        throw error
    } finally {
        client.off("error", ignore)
        if (isBroken) client.on("error", ignore)
        client.release(isBroken)
    }
}

/** A connection may be long in coming when the pool is exhausted, or never come when the network swallows packets. */
function connectWithin(pool: PgPool, deadlineMs: number): Promise<PgClient> {
    return new Promise((resolve, reject) => {
        let isLate = false
        const timer = setTimeout(() => {
            isLate = true
            reject(new NotSentError(new Error(`no connection to the database within ${deadlineMs} ms`)))
            cutStuckConnections(pool, deadlineMs)
        }, deadlineMs)
        // A pool that is ended before it gets to our request never answers it, and must not hold the process.
        timer.unref()
        pool.connect().then(
            (client) => {
                clearTimeout(timer)
                if (isLate) client.release()
                else resolve(client)
            },
            (error: unknown) => {
                clearTimeout(timer)
                reject(new NotSentError(error))
            },
        )
    })
}

function runWithin(client: PgClient, { text, values, deadlineMs }: Statement, name?: string): Promise<Row[]> {
    return new Promise((resolve, reject) => {
        const timer = setTimeout(
            () => reject(new NoAnswerError(`no answer from the database within ${deadlineMs} ms`)),
            deadlineMs,
        )
        client
            .query({
                ...(name === undefined ? {} : { name }),
                text,
                values,
                rowMode: "array",
                types: AS_TEXT,
            })
            .then(
                (result) => {
                    clearTimeout(timer)
                    resolve(result.rows as Row[])
                },
                (error: unknown) => {
                    clearTimeout(timer)
                    reject(error)
                },
            )
    })
}

/** Whether the server answered and went on; after a fatal answer it closes the connection. */
function isRefusal(error: unknown): boolean {
    const { code } = typeof error === "object" && error !== null ? (error as { code?: unknown }) : {}
    return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) && !/^(08|57P|25P03|28|3D|XX)/.test(code)
}

/** Hears on a connection outside the pool, so that a pool of one still works. */
function listenWith(pool: PgPool): Listen | undefined {
    const { Client, options } = pool as {
        Client?: new (options: unknown) => DedicatedClient
        options?: unknown
    }
    if (Client === undefined || options === undefined) return undefined
    return async ({ channel, onMessage, onLost }) => {
        const client = new Client(options)
        let isLost = false
        const lose = () => {
            if (isLost) return
            isLost = true
            onLost()
        }
        client.on("error", lose)
        client.on("end", lose)
        client.on("notification", (message) => onMessage(message.payload ?? ""))
        const stop = async () => {
            isLost = true
            await endWithin(client)
        }
        const add = (name: string) => listeningWithin(client.query(`listen ${name}`))
        try {
            await listeningWithin(client.connect())
            await add(channel)
            // Its end may come with the last answer, before anyone knows that there is something to lose.
            if (isLost) throw new Error("the connection to listen on was lost")
        } catch (error) {
            void stop()
            throw error
        }
        return { add, stop }
    }
}

/** Waits for a step towards hearing, but not for ever. */
async function listeningWithin(step: Promise<unknown>): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const isLate = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error("no connection to listen on")), LISTEN_DEADLINE_MS)
    })
    try {
        await Promise.race([step, isLate])
    } finally {
        clearTimeout(timer)
        step.catch(ignore)
    }
}

/** A server that does not answer would hold whoever waits for the end, and the process, so it is cut off then. */
async function endWithin(client: DedicatedClient): Promise<void> {
    const timer = setTimeout(() => client.connection?.stream?.destroy(), END_DEADLINE_MS)
    await client.end().catch(ignore)
    clearTimeout(timer)
}

function ignore(): void {}
