import type { Socket } from "node:net"

/** How bytes are passed on at the moment. Shared by all connections of a proxy. */
export interface Pace {
    delayMs: number
    isSplitting: boolean
}

/** Pieces of this size, at both ends of a chunk, go one by one: that is where headers and lengths are. */
const SPLIT_EDGE_BYTES = 48
const SPLIT_BYTES = 3

/** One direction of a connection. Keeps the order of what it passes on, its end included. */
export class Flow {
    readonly #from: Socket
    readonly #to: Socket
    readonly #pace: Pace
    readonly #queue: { bytes: Buffer | "end"; dueMs: number }[] = []
    #timer: NodeJS.Timeout | undefined
    #isHeld = false
    #isLost = false

    constructor(params: { from: Socket; to: Socket; pace: Pace }) {
        this.#from = params.from
        this.#to = params.to
        this.#pace = params.pace
        this.#to.on("drain", () => this.#from.resume())
    }

    /** Passes bytes on, or the end of the stream, when their time comes. */
    send(bytes: Buffer | "end"): void {
        if (this.#isLost) return
        const lastMs = this.#queue.at(-1)?.dueMs ?? 0
        this.#queue.push({ bytes, dueMs: Math.max(performance.now() + this.#pace.delayMs, lastMs) })
        this.#pump()
    }

    /** Nothing passes until `release`, and all of it then. */
    hold(): void {
        this.#isHeld = true
    }

    release(): void {
        this.#isHeld = false
        this.#pump()
    }

    /** Nothing passes any more, and what was on its way is lost. */
    lose(): void {
        this.#isLost = true
        this.#queue.length = 0
        clearTimeout(this.#timer)
    }

    #pump(): void {
        clearTimeout(this.#timer)
        while (!this.#isHeld && this.#queue[0] !== undefined) {
            const waitMs = this.#queue[0].dueMs - performance.now()
            if (waitMs > 0) {
                this.#timer = setTimeout(() => this.#pump(), waitMs)
                return
            }
            this.#write(this.#queue.shift()?.bytes ?? "end")
        }
    }

    #write(bytes: Buffer | "end"): void {
        if (this.#to.destroyed || this.#to.writableEnded) return
        if (bytes === "end") {
            this.#to.end()
            return
        }
        const pieces = this.#pace.isSplitting ? split(bytes) : [bytes]
        let isRoomy = true
        for (const piece of pieces) isRoomy = this.#to.write(piece) && isRoomy
        if (!isRoomy) this.#from.pause()
    }
}

/** Small pieces, which leave as packets of their own because the sockets do not wait for more. */
export function split(bytes: Buffer): Buffer[] {
    const pieces: Buffer[] = []
    for (let at = 0; at < bytes.length; ) {
        const isMiddle = at >= SPLIT_EDGE_BYTES && at < bytes.length - SPLIT_EDGE_BYTES
        const end = isMiddle ? bytes.length - SPLIT_EDGE_BYTES : at + SPLIT_BYTES
        pieces.push(bytes.subarray(at, end))
        at = end
    }
    return pieces
}
