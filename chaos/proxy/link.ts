import { connect, type Socket } from "node:net"
import { Exchange } from "./exchange.ts"
import { Flow, type Pace } from "./flow.ts"
import { asksForEncryption, asksToCancel, Framing, type Message } from "./framing.ts"
import type { Losses } from "./losses.ts"

/** One connection of a client's and the one to the server that belongs to it. */
export class Link {
    readonly #client: Socket
    readonly #server: Socket
    readonly #toServer: Flow
    readonly #toClient: Flow
    readonly #fromClient = new Framing("client")
    readonly #fromServer = new Framing("server")
    readonly #exchange = new Exchange()
    readonly #losses: Losses
    /** An answer that may have to be lost, until it is whole. */
    #kept: Buffer[] | undefined
    /** Bytes that the server sends outside of any message. */
    #numRawBytes = 0
    #isLost = false

    constructor(params: { client: Socket; port: number; pace: Pace; losses: Losses; onClose: () => void }) {
        this.#client = params.client
        this.#losses = params.losses
        this.#server = connect({ port: params.port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true })
        const { pace } = params
        this.#toServer = new Flow({ from: this.#client, to: this.#server, pace })
        this.#toClient = new Flow({ from: this.#server, to: this.#client, pace })
        this.#client.on("data", (chunk: Buffer) => this.#clientSent(chunk))
        this.#server.on("data", (chunk: Buffer) => this.#serverSent(chunk))
        this.#client.on("end", () => this.#toServer.send("end"))
        this.#server.on("end", () => this.#toClient.send("end"))
        this.#client.on("error", () => this.cut())
        // The server is down, or went down: its client is told so.
        this.#server.on("error", () => !this.#isLost && this.cut())
        this.#client.on("close", () => {
            // What was lost is only noticed by the server when the black hole ends.
            if (!this.#isLost) this.#server.destroy()
            params.onClose()
        })
        this.#server.on("close", () => !this.#isLost && this.#client.destroySoon())
    }

    /** Whether the session hears notifications. */
    get isListening(): boolean {
        return this.#exchange.isListening
    }

    /** Cuts both sides with RST. */
    cut(): void {
        this.#client.resetAndDestroy()
        this.#server.resetAndDestroy()
    }

    /** Ends the stream to the client with FIN, but goes on taking what it sends. */
    halfClose(): void {
        this.#toClient.lose()
        this.#client.end()
    }

    hold(): void {
        this.#toClient.hold()
        this.#toServer.hold()
    }

    release(): void {
        this.#toClient.release()
        this.#toServer.release()
    }

    /** Everything is lost from now on, both ways, even the ends. */
    lose(): void {
        this.#isLost = true
        this.#toClient.lose()
        this.#toServer.lose()
    }

    /** The server gives a lost connection up, as keepalive makes it. The client is told so, or never. */
    bury(params: { tellsClient: boolean }): void {
        this.#server.resetAndDestroy()
        if (params.tellsClient) this.#client.resetAndDestroy()
    }

    #clientSent(chunk: Buffer): void {
        if (this.#isLost) return
        try {
            for (const message of this.#fromClient.push(chunk)) this.#follow(message)
        } catch {
            this.cut()
            return
        }
        this.#toServer.send(chunk)
    }

    #follow(message: Message): void {
        if (asksForEncryption(message)) this.#numRawBytes = 1
        else if (!asksToCancel(message)) this.#exchange.sent(message)
    }

    #serverSent(chunk: Buffer): void {
        if (this.#isLost) return
        const raw = chunk.subarray(0, this.#numRawBytes)
        this.#numRawBytes -= raw.length
        const passed: Buffer[] = raw.length > 0 ? [raw] : []
        try {
            for (const message of this.#fromServer.push(chunk.subarray(raw.length)))
                if (this.#losesAnswer(message, passed)) return this.cut()
        } catch {
            return this.cut()
        }
        if (passed.length > 0)
            this.#toClient.send(passed.length === 1 ? (passed[0] as Buffer) : Buffer.concat(passed))
    }

    /** Adds a message to those that pass, or keeps it back; true when it completed an answer that is to be lost. */
    #losesAnswer(message: Message, passed: Buffer[]): boolean {
        const { current } = this.#exchange
        if (this.#kept === undefined && current !== undefined && this.#losses.mayMatch(current.texts))
            this.#kept = []
        const outcome = this.#exchange.received(message)
        const kept = this.#kept ?? passed
        kept.push(message.bytes)
        if (outcome === undefined || this.#kept === undefined) return false
        if (this.#losses.take(outcome)) return true
        passed.push(...this.#kept)
        this.#kept = undefined
        return false
    }
}
