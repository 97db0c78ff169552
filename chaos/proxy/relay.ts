import { type AddressInfo, createServer, type Server, type Socket } from "node:net"
import { pause } from "../pause.ts"
import type { Pace } from "./flow.ts"
import { Link } from "./link.ts"
import { Losses } from "./losses.ts"
import type { Matching } from "./matching.ts"

/** Which connections: a share of all, or those that hear notifications. */
export interface Chosen {
    readonly share: number
    readonly which: "all" | "listeners"
}

/** The proxy: takes connections on a port of its own, passes them on to the server, and breaks them when told to. */
export class Relay {
    readonly #serverPort: number
    readonly #server: Server
    readonly #links = new Set<Link>()
    readonly #pace: Pace = { delayMs: 0, isSplitting: false }
    readonly #losses = new Losses()
    /** What happens to links that are made while a stall or a black hole lasts. */
    readonly #onLink = new Set<(link: Link) => void>()
    readonly #random: () => number

    constructor(params: { serverPort: number; random: () => number }) {
        this.#serverPort = params.serverPort
        this.#random = params.random
        this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket))
    }

    async listen(port = 0): Promise<number> {
        await new Promise<void>((resolve, reject) => {
            this.#server.once("error", reject)
            this.#server.listen(port, "127.0.0.1", resolve)
        })
        return (this.#server.address() as AddressInfo).port
    }

    close(): void {
        this.#server.close()
        for (const link of this.#links) link.cut()
    }

    reset(chosen: Chosen): number {
        return this.#each(chosen, (link) => link.cut())
    }

    halfClose(chosen: Chosen): number {
        return this.#each(chosen, (link) => link.halfClose())
    }

    async delay({ ms, forMs }: { ms: number; forMs: number }): Promise<void> {
        this.#pace.delayMs = ms
        await pause(forMs)
        this.#pace.delayMs = 0
    }

    async split({ forMs }: { forMs: number }): Promise<void> {
        this.#pace.isSplitting = true
        await pause(forMs)
        this.#pace.isSplitting = false
    }

    /** Passes nothing on for a while, and then all of it. */
    async stall(params: Chosen & { forMs: number; alsoNew: boolean }): Promise<number> {
        const held = await this.#during(params, (link) => link.hold())
        for (const link of held) link.release()
        return held.size
    }

    /** Loses what is sent, for a while. The connections never recover; half of the clients are never told. */
    async swallow(params: Chosen & { forMs: number; alsoNew: boolean }): Promise<number> {
        const lost = await this.#during(params, (link) => link.lose())
        for (const link of lost) link.bury({ tellsClient: this.#random() < 0.5 })
        return lost.size
    }

    /** Refuses new connections for a while. */
    async refuse({ forMs }: { forMs: number }): Promise<void> {
        const { port } = this.#server.address() as AddressInfo
        this.#server.close()
        await pause(forMs)
        await this.listen(port)
    }

    loseAnswers(params: { matching: Matching; count: number; forMs: number }): Promise<number> {
        return this.#losses.lose(params)
    }

    async #during(
        { forMs, alsoNew, ...chosen }: Chosen & { forMs: number; alsoNew: boolean },
        act: (link: Link) => void,
    ): Promise<Set<Link>> {
        const hit = new Set<Link>()
        const hitLink = (link: Link) => {
            hit.add(link)
            act(link)
        }
        this.#each(chosen, hitLink)
        if (alsoNew) this.#onLink.add(hitLink)
        await pause(forMs)
        this.#onLink.delete(hitLink)
        return hit
    }

    #each({ share, which }: Chosen, act: (link: Link) => void): number {
        const candidates = [...this.#links].filter((link) => which === "all" || link.isListening)
        const chosen = candidates.filter(() => this.#random() < share)
        for (const link of chosen) act(link)
        return chosen.length
    }

    #accept(client: Socket): void {
        const link = new Link({
            client,
            port: this.#serverPort,
            pace: this.#pace,
            losses: this.#losses,
            onClose: () => this.#links.delete(link),
        })
        this.#links.add(link)
        for (const act of this.#onLink) act(link)
    }
}
