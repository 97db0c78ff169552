import { randomUUID } from "node:crypto"
import { Alarm, monotonicMs } from "./clock.ts"
import type { Database } from "./db/database.ts"
import { identifierOf } from "./db/identifier.ts"
import { Listener } from "./listener.ts"
import { notify } from "./statements/notify.ts"

/** `ready`: a job may be claimed now. `look`: something changed that a look around will tell. */
export type HintKind = "ready" | "look"

/** Someone who wants to know when there may be work. */
export interface HintSubscriber {
    readonly channel: string
    onHint(kind: HintKind): void
}

/** At most one notification for each channel in this time, so that a notification costs nothing at a high rate. */
const SPACING_MS = 5

/** Stands for every channel. */
const EVERY_CHANNEL = ""

/**
 * Tells workers that there may be work: those of this Config directly, others by NOTIFY. A hint may be lost, and
 * nothing depends on it but the time until the next poll.
 */
export class Hints {
    readonly #database: Database
    readonly #sqlChannel: string
    readonly #senderID = randomUUID()
    readonly #subscribers = new Set<HintSubscriber>()
    readonly #unsent = new Map<string, { kind: HintKind; channel: string }>()
    readonly #alarm = new Alarm(() => void this.#send())
    readonly #listener: Listener
    #lastSentMs = Number.NEGATIVE_INFINITY
    #isSending = false

    constructor(params: { database: Database; schema: string }) {
        this.#database = params.database
        this.#sqlChannel = identifierOf(params.schema)
        this.#listener = new Listener({
            database: params.database,
            channel: this.#sqlChannel,
            onMessage: (message) => this.#hear(message),
            onConnect: () => this.#tell(EVERY_CHANNEL, "look"),
        })
    }

    /** Starts telling `subscriber`. The first one starts the listening connection, the last one ends it. */
    subscribe(subscriber: HintSubscriber): () => Promise<void> {
        this.#subscribers.add(subscriber)
        this.#listener.start()
        return async () => {
            this.#subscribers.delete(subscriber)
            if (this.#subscribers.size === 0) await this.#listener.stop()
        }
    }

    /** Tells all who work on a channel, or on any when none is given. Never fails and never waits. */
    announce(kind: HintKind, channel: string = EVERY_CHANNEL): void {
        this.#tell(channel, kind)
        this.#unsent.set(`${kind} ${channel}`, { kind, channel })
        const waitMs = this.#lastSentMs + SPACING_MS - monotonicMs()
        if (waitMs > 0) this.#alarm.setNoLaterThan(waitMs)
        else void this.#send()
    }

    async #send(): Promise<void> {
        if (this.#isSending) return
        this.#isSending = true
        this.#lastSentMs = monotonicMs()
        const hints = [...this.#unsent.values()]
        this.#unsent.clear()
        for (const { kind, channel } of hints) {
            const message = JSON.stringify([this.#senderID, kind, channel])
            const { run } = this.#database
            // Whoever misses it polls.
            await notify({ run, channel: this.#sqlChannel, message }).catch(() => undefined)
        }
        this.#isSending = false
        if (this.#unsent.size > 0) this.#alarm.setNoLaterThan(SPACING_MS)
    }

    #hear(message: string): void {
        const [senderID, kind, channel] = parse(message)
        // Our own were told directly.
        if (senderID === this.#senderID) return
        if (kind === "ready" || kind === "look") this.#tell(String(channel), kind)
    }

    #tell(channel: string, kind: HintKind): void {
        for (const subscriber of this.#subscribers) {
            if (channel === EVERY_CHANNEL || channel === subscriber.channel) subscriber.onHint(kind)
        }
    }
}

function parse(message: string): unknown[] {
    try {
        const parsed: unknown = JSON.parse(message)
        return Array.isArray(parsed) ? parsed : []
    } catch {
        return []
    }
}
