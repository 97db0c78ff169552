import { randomUUID } from "node:crypto"
import { Alarm } from "./clock.ts"
import type { Database } from "./db/database.ts"
import { notify } from "./statements/notify.ts"

const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 10_000

/** How long a notification to ourselves may take before the connection counts as deaf. */
const TEST_MS = 5_000

/** How often a connection that works is tested again, and how long a deaf one (a pooler's) is left alone. */
const TEST_EVERY_MS = 60_000

/** Hears one channel over a connection of its own: reconnects when it is lost, gives up for a while when it is deaf. */
export class Listener {
    readonly #database: Database
    readonly #channel: string
    readonly #onMessage: (message: string) => void
    readonly #onConnect: () => void
    readonly #alarm = new Alarm(() => this.#act())
    #act: () => void = () => undefined
    #stopHearing: (() => Promise<void>) | undefined
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
        const stopHearing = this.#stopHearing
        this.#stopHearing = undefined
        await stopHearing?.().catch(() => undefined)
    }

    async #connect(): Promise<void> {
        const listen = this.#database.listen
        if (listen === undefined || !this.#isWanted || this.#isConnecting || this.#stopHearing !== undefined)
            return
        this.#isConnecting = true
        try {
            const { stop } = await listen({
                channel: this.#channel,
                onMessage: (message) => this.#hear(message),
                onLost: () => this.#reconnect(FIRST_RETRY_MS),
            }).finally(() => {
                this.#isConnecting = false
            })
            this.#stopHearing = stop
            if (!this.#isWanted) return await this.stop()
            this.#onConnect()
            this.#test()
        } catch {
            this.#reconnect(this.#retryMs)
            this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS)
        }
    }

    #reconnect(afterMs: number): void {
        const stopHearing = this.#stopHearing
        this.#stopHearing = undefined
        void stopHearing?.().catch(() => undefined)
        if (this.#isWanted) this.#schedule(afterMs, () => void this.#connect())
    }

    #test(): void {
        this.#testMessage = randomUUID()
        const run = (text: string, values: unknown[]) => this.#database.query(text, values)
        notify({ run, channel: this.#channel, message: this.#testMessage }).catch(() => undefined)
        this.#schedule(TEST_MS, () => this.#reconnect(TEST_EVERY_MS))
    }

    #hear(message: string): void {
        if (message !== this.#testMessage) return this.#onMessage(message)
        this.#retryMs = FIRST_RETRY_MS
        this.#schedule(TEST_EVERY_MS, () => this.#test())
    }

    #schedule(afterMs: number, act: () => void): void {
        if (!this.#isWanted) return
        this.#act = act
        this.#alarm.set(afterMs)
    }
}
