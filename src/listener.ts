import { randomBytes, randomUUID } from "node:crypto"
import { Alarm } from "./clock.ts"
import type { Database } from "./db/database.ts"
import type { Listening } from "./db/driver.ts"
import { notify } from "./statements/notify.ts"

const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 10_000

/** How long a notification to ourselves may take before the connection counts as deaf. */
const TEST_MS = 5_000

/** How often a connection that works is tested again, and how long a deaf one (a pooler's) is left alone. */
const TEST_EVERY_MS = 60_000

/**
 * Hears one channel over a connection of its own: reconnects when it is lost, gives up for a while when it is deaf.
 * A pooler that gives connections to the server out by transaction leaves what was listened to on one that others go
 * on using, for as long as it lives. So a new connection first listens to a channel of this Listener alone, where nobody
 * says anything but it, and to the one that matters once it has heard itself.
 */
export class Listener {
    readonly #database: Database
    readonly #channel: string
    readonly #testChannel: string
    readonly #onMessage: (message: string) => void
    readonly #onConnect: () => void
    readonly #alarm = new Alarm(() => this.#act())
    #act: () => void = () => undefined
    #listening: Listening | undefined
    #isHearing = false
    #isWanted = false
    #isConnecting = false
    #retryMs = FIRST_RETRY_MS
    #testMessage: string | undefined

    /** `onConnect` is called whenever hearing begins: what was said before was missed. */
    constructor(params: {
        database: Database
        channel: string
        onMessage: (message: string) => void
        onConnect: () => void
    }) {
        this.#database = params.database
        this.#channel = params.channel
        this.#testChannel = `${params.channel}_${randomBytes(8).toString("hex")}`
        this.#onMessage = params.onMessage
        this.#onConnect = params.onConnect
    }

    start(): void {
        if (this.#isWanted) return
        this.#isWanted = true
        void this.#connect()
    }

    async stop(): Promise<void> {
        this.#isWanted = false
        this.#alarm.clear()
        await this.#disconnect()
    }

    async #disconnect(): Promise<void> {
        const listening = this.#listening
        this.#listening = undefined
        this.#isHearing = false
        await listening?.stop().catch(() => undefined)
    }

    async #connect(): Promise<void> {
        const listen = this.#database.listen
        if (listen === undefined || !this.#isWanted || this.#isConnecting || this.#listening !== undefined)
            return
        this.#isConnecting = true
        try {
            this.#listening = await listen({
                channel: this.#testChannel,
                onMessage: (message) => this.#hear(message),
                onLost: () => this.#reconnect(FIRST_RETRY_MS),
            }).finally(() => {
                this.#isConnecting = false
            })
            if (!this.#isWanted) return await this.stop()
            this.#test()
        } catch {
            this.#reconnect(this.#retryMs)
            this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS)
        }
    }

    #reconnect(afterMs: number): void {
        void this.#disconnect()
        if (this.#isWanted) this.#schedule(afterMs, () => void this.#connect())
    }

    #test(): void {
        this.#testMessage = randomUUID()
        const { run } = this.#database
        notify({ run, channel: this.#testChannel, message: this.#testMessage }).catch(() => undefined)
        this.#schedule(TEST_MS, () => this.#reconnect(TEST_EVERY_MS))
    }

    #hear(message: string): void {
        // From a connection that we have given up already.
        if (this.#listening === undefined) return
        if (message !== this.#testMessage) return this.#onMessage(message)
        this.#retryMs = FIRST_RETRY_MS
        this.#schedule(TEST_EVERY_MS, () => this.#test())
        if (!this.#isHearing) void this.#hearAll()
    }

    async #hearAll(): Promise<void> {
        const listening = this.#listening
        this.#isHearing = true
        try {
            await listening?.add(this.#channel)
            if (this.#isWanted && this.#listening === listening) this.#onConnect()
        } catch {
            if (this.#listening === listening) this.#reconnect(FIRST_RETRY_MS)
        }
    }

    #schedule(afterMs: number, act: () => void): void {
        if (!this.#isWanted) return
        this.#act = act
        this.#alarm.set(afterMs)
    }
}
