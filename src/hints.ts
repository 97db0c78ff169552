import { randomUUID } from "node:crypto"
import { Alarm, monotonicMs } from "./clock.ts"
import type { Database } from "./db/database.ts"
import { wasRefused } from "./db/failure.ts"
import { identifierOf } from "./db/identifier.ts"
import { Listener } from "./listener.ts"
import { type Notification, notify } from "./statements/notify.ts"

const KINDS = ["ready", "look", "cancel", "resume"] as const

/**
 * `ready`: a job may be claimed now. `look`: something changed that a look around will tell. `cancel`: a job that runs is
 * to be cancelled. `resume`: what was paused no longer is.
 */
export type HintKind = (typeof KINDS)[number]

/** Whom a hint is for, when nobody has sent it whose own workers were told directly. */
const FOR_EVERYONE = ""

/**
 * What orchestrators are told: that a schedule was changed, or that an operation waits. Releases before it do not know it,
 * and take no notice.
 */
const NEWS = ["schedule", "operation"] as const

/** What orchestrators are told. */
export type News = (typeof NEWS)[number]

/** Someone who wants to know when there may be work. */
export interface HintSubscriber {
    readonly channel: string
    onHint(kind: HintKind): void
}

/** At most one notification for each channel in this time, so that a notification costs nothing at a high rate. */
const SPACING_MS = 5

/**
 * Notifications of a database are committed one after the other, each with its flush to disk when something was written
 * beside it. So those that travel with jobs take at most a third of a process's time, and none for a while after one
 * that could not be sent. So the pause after one is twice as long as it took, and half of the spacing at least: then the next
 * one leaves before a hint of its own would.
 */
const ALONG_PAUSE = 2
const ALONG_SPACING_MS = SPACING_MS / 2
const ALONG_REFUSED_MS = 60_000

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
    readonly #newsSubscribers = new Set<(news: News) => void>()
    readonly #unsent = new Map<string, { kind: HintKind | News; channel: string }>()
    readonly #alarm = new Alarm(() => void this.#sendAll())
    readonly #listener: Listener
    #lastSentMs = Number.NEGATIVE_INFINITY
    #alongFromMs = Number.NEGATIVE_INFINITY
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

    /**
     * Starts telling what orchestrators are told: by this Config, and by others while a worker of this Config listens. A
     * connection for this alone would cost more than to look when it is time.
     */
    onNews(subscriber: (news: News) => void): () => void {
        this.#newsSubscribers.add(subscriber)
        return () => void this.#newsSubscribers.delete(subscriber)
    }

    /** Tells all orchestrators. Never fails and never waits. */
    announceNews(news: News): void {
        this.#tellNews(news)
        this.#send(news, EVERY_CHANNEL)
    }

    /** Tells all who work on a channel, or on any when none is given. Never fails and never waits. */
    announce(kind: HintKind, channel: string = EVERY_CHANNEL): void {
        this.#tell(channel, kind)
        this.#send(kind, channel)
    }

    /** Tells of jobs that are there now: of those that are ready, and of those that will be due. */
    announceJobs(jobs: readonly { readonly channel: string; readonly isReady: boolean }[]): void {
        const channels = new Map<string, boolean>()
        for (const { channel, isReady } of jobs)
            channels.set(channel, isReady || channels.get(channel) === true)
        for (const [channel, hasReady] of channels) this.announce(hasReady ? "ready" : "look", channel)
        if ([...channels.values()].includes(true) && jobs.some(({ isReady }) => !isReady))
            this.announce("look")
    }

    #send(kind: HintKind | News, channel: string): void {
        this.#unsent.set(unsentKey(kind, channel), { kind, channel })
        const waitMs = this.#lastSentMs + SPACING_MS - monotonicMs()
        if (waitMs > 0) this.#alarm.setNoLaterThan(waitMs)
        else void this.#sendAll()
    }

    /**
     * Tells all who work on a channel that a job is ready, by a hint that `work` sends within its transaction: one that
     * sleeps hears of the job as soon as it is there. Returns undefined, with nothing done, when it is not the time, or
     * the server refused: then it is to be done without.
     */
    async tellAlong<T>(channel: string, work: (hint: Notification) => Promise<T>): Promise<T | undefined> {
        const sentMs = monotonicMs()
        if (sentMs < this.#alongFromMs) return undefined
        this.#alongFromMs = Number.POSITIVE_INFINITY
        const key = unsentKey("ready", channel)
        // What was stored before, it tells of, too; not what is stored meanwhile.
        const unsent = this.#unsent.get(key)
        let pauseMs = ALONG_REFUSED_MS
        try {
            const result = await work({
                channel: this.#sqlChannel,
                message: this.#messageOf("ready", channel),
            })
            const nowMs = monotonicMs()
            pauseMs = Math.max(ALONG_SPACING_MS, (nowMs - sentMs) * ALONG_PAUSE)
            this.#lastSentMs = nowMs
            if (this.#unsent.get(key) === unsent) this.#unsent.delete(key)
            this.#tell(channel, "ready")
            return result
        } catch (error) {
            if (wasRefused(error)) return undefined
            throw error
        } finally {
            this.#alongFromMs = monotonicMs() + pauseMs
        }
    }

    /** The hint as a transaction of the caller's sends it, of which we do not hear when it commits. */
    notificationOf(kind: HintKind, channel: string): Notification {
        return { channel: this.#sqlChannel, message: JSON.stringify([FOR_EVERYONE, kind, channel]) }
    }

    async #sendAll(): Promise<void> {
        if (this.#isSending || this.#unsent.size === 0) return
        this.#isSending = true
        this.#lastSentMs = monotonicMs()
        const hints = [...this.#unsent.values()]
        this.#unsent.clear()
        for (const { kind, channel } of hints) {
            const message = this.#messageOf(kind, channel)
            const { run } = this.#database
            // Whoever misses it polls.
            await notify({ run, channel: this.#sqlChannel, message }).catch(() => undefined)
        }
        this.#isSending = false
        if (this.#unsent.size > 0) this.#alarm.setNoLaterThan(SPACING_MS)
    }

    #messageOf(kind: HintKind | News, channel: string): string {
        return JSON.stringify([this.#senderID, kind, channel])
    }

    #hear(message: string): void {
        const [senderID, kind, channel] = parse(message)
        // Our own were told directly.
        if (senderID === this.#senderID) return
        if (isKind(kind)) this.#tell(String(channel), kind)
        const news = NEWS.find((known) => known === kind)
        if (news !== undefined) this.#tellNews(news)
    }

    #tellNews(news: News): void {
        for (const subscriber of this.#newsSubscribers) subscriber(news)
    }

    #tell(channel: string, kind: HintKind): void {
        for (const subscriber of this.#subscribers) {
            if (channel === EVERY_CHANNEL || channel === subscriber.channel) subscriber.onHint(kind)
        }
    }
}

function unsentKey(kind: HintKind | News, channel: string): string {
    return `${kind} ${channel}`
}

function isKind(kind: unknown): kind is HintKind {
    return KINDS.some((known) => known === kind)
}

function parse(message: string): unknown[] {
    try {
        const parsed: unknown = JSON.parse(message)
        return Array.isArray(parsed) ? parsed : []
    } catch {
        return []
    }
}
