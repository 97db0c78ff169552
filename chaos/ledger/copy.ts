import { createReadStream } from "node:fs"
import type { Socket } from "node:net"
import type pg from "pg"

/** What `pg` keeps of a connection, as far as COPY needs it. */
interface Wire {
    readonly stream: Socket
    query(text: string): void
    sendCopyFromChunk(chunk: Buffer): void
    endCopyFrom(): void
    sendCopyFail(message: string): void
    sync(): void
}

/** What `pg` asks of something that it runs in place of a query. */
abstract class Copy {
    readonly text: string
    readonly done: Promise<void>
    protected resolve: () => void = () => undefined
    protected reject: (error: unknown) => void = () => undefined
    #error: unknown

    constructor(text: string) {
        this.text = text
        this.done = new Promise((resolve, reject) => {
            this.resolve = resolve
            this.reject = reject
        })
        // Whoever waits hears of it; nobody may wait yet.
        this.done.catch(() => undefined)
    }

    submit(connection: Wire): void {
        connection.query(this.text)
    }

    handleError(error: unknown): void {
        this.#error ??= error
        // A server that is gone sends no more, so nothing else would end the wait.
        this.reject(error)
    }

    handleReadyForQuery(): void {
        if (this.#error === undefined) this.resolve()
        else this.reject(this.#error)
    }

    handleCommandComplete(): void {}
    handleRowDescription(): void {}
    handleDataRow(): void {}
    handleEmptyQuery(): void {}
    handlePortalSuspended(): void {}
}

class CopyIn extends Copy {
    readonly #source: AsyncIterable<Buffer>

    constructor(text: string, source: AsyncIterable<Buffer>) {
        super(text)
        this.#source = source
    }

    handleCopyInResponse(connection: Wire): void {
        void this.#send(connection).catch((error: unknown) => connection.sendCopyFail(String(error)))
    }

    async #send(connection: Wire): Promise<void> {
        for await (const chunk of this.#source) {
            connection.sendCopyFromChunk(chunk)
            if (connection.stream.writableNeedDrain)
                await new Promise((resolve) => connection.stream.once("drain", resolve))
        }
        connection.endCopyFrom()
    }
}

class CopyOut extends Copy {
    #chunks: Buffer[] = []
    #wire: Wire | undefined
    #wake: () => void = () => undefined
    #isOver = false

    override submit(connection: Wire): void {
        this.#wire = connection
        super.submit(connection)
        void this.done
            .catch(() => undefined)
            .then(() => {
                this.#isOver = true
                this.#wake()
            })
    }

    handleCopyData(message: { chunk: Buffer }): void {
        this.#chunks.push(Buffer.from(message.chunk))
        // The reader may be slower than the server.
        if (this.#chunks.length > 10_000) this.#wire?.stream.pause()
        this.#wake()
    }

    async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
        for (;;) {
            const chunks = this.#chunks
            this.#chunks = []
            this.#wire?.stream.resume()
            if (chunks.length > 0) yield Buffer.concat(chunks)
            else if (this.#isOver) break
            else {
                await new Promise<void>((resolve) => {
                    this.#wake = resolve
                })
            }
        }
        await this.done
    }
}

function run(client: pg.Client | pg.PoolClient, copy: Copy): Promise<void> {
    client.query(copy as unknown as pg.Submittable)
    return copy.done
}

/** Copies what `out` selects on one server into `into` on another. Both texts are COPY statements. */
export async function copyBetween(params: {
    from: pg.Client | pg.PoolClient
    out: string
    to: pg.Client | pg.PoolClient
    into: string
}): Promise<void> {
    const source = new CopyOut(params.out)
    const reading = run(params.from, source)
    await run(params.to, new CopyIn(params.into, source))
    await reading
}

/** Copies files as they are, a line a row. */
export async function copyFiles(
    client: pg.Client | pg.PoolClient,
    into: string,
    paths: readonly string[],
): Promise<void> {
    await run(client, new CopyIn(into, linesOf(paths)))
}

async function* linesOf(paths: readonly string[]): AsyncGenerator<Buffer> {
    for (const path of paths) {
        let last = 0x0a
        for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) {
            const bytes = chunk as Buffer
            if (bytes.length > 0) last = bytes[bytes.length - 1] as number
            yield bytes
        }
        // A process that was killed may have left half a line.
        if (last !== 0x0a) yield Buffer.from("\n")
    }
}
