/** Cuts the byte streams of the Postgres protocol into messages, whatever pieces they come in. */

/** A message with its header. `type` is empty for the few without one, at the beginning of a connection. */
export interface Message {
    readonly type: string
    /** What follows the length. */
    readonly body: Buffer
    /** The whole of it, as it came. */
    readonly bytes: Buffer
}

const SSL_REQUEST = 80_877_103
const GSS_REQUEST = 80_877_104
const CANCEL_REQUEST = 80_877_102

/** No message of a campaign is larger: a length above it means that we lost our place. */
const MAX_MESSAGE_BYTES = 64 * 1_024 * 1_024

/** Takes chunks, gives whole messages, keeps the rest. */
export class Framing {
    #rest: Buffer = Buffer.alloc(0)
    /** Messages of the client have no type until the one that begins the session. */
    #isStarting: boolean

    constructor(side: "client" | "server") {
        this.#isStarting = side === "client"
    }

    /** Bytes of a message that is not whole yet. */
    get numPending(): number {
        return this.#rest.length
    }

    push(chunk: Buffer): Message[] {
        let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
        const messages: Message[] = []
        for (;;) {
            const length = this.#lengthOf(bytes)
            if (length === undefined || bytes.length < length) break
            messages.push(this.#messageOf(bytes.subarray(0, length)))
            bytes = bytes.subarray(length)
        }
        this.#rest = bytes
        return messages
    }

    /** Of the first message, its header included; undefined while that cannot be told. */
    #lengthOf(bytes: Buffer): number | undefined {
        const typeBytes = this.#isStarting ? 0 : 1
        if (bytes.length < typeBytes + 4) return undefined
        const length = bytes.readUInt32BE(typeBytes)
        if (length < 4 || length > MAX_MESSAGE_BYTES) throw new RangeError(`a message of ${length} bytes`)
        return typeBytes + length
    }

    #messageOf(bytes: Buffer): Message {
        if (!this.#isStarting)
            return { type: String.fromCharCode(bytes[0] ?? 0), body: bytes.subarray(5), bytes }
        const code = bytes.length >= 8 ? bytes.readUInt32BE(4) : 0
        // After a request for encryption, which our servers decline with one byte, the client starts over.
        if (code !== SSL_REQUEST && code !== GSS_REQUEST) this.#isStarting = false
        return { type: "", body: bytes.subarray(4), bytes }
    }
}

/** Whether a first message asks for encryption, which the server answers with a byte that is no message. */
export function asksForEncryption(message: Message): boolean {
    const code = message.type === "" && message.body.length >= 4 ? message.body.readUInt32BE(0) : 0
    return code === SSL_REQUEST || code === GSS_REQUEST
}

/** Whether a first message asks to cancel what another connection does: the server closes without an answer. */
export function asksToCancel(message: Message): boolean {
    return message.type === "" && message.body.length >= 4 && message.body.readUInt32BE(0) === CANCEL_REQUEST
}

/** The text that ends with a zero byte at `start`, and where the next thing begins. */
export function textAt(body: Buffer, start: number): { text: string; next: number } {
    const end = body.indexOf(0, start)
    if (end === -1) return { text: body.toString("utf8", start), next: body.length }
    return { text: body.toString("utf8", start, end), next: end + 1 }
}
