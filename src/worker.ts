import { availableParallelism } from "node:os"
import { type Config, type Core, coreOf } from "./config.ts"
import { Daemon, type Session } from "./daemon.ts"
import type { EventHandler } from "./events.ts"
import { toldOf } from "./heartbeat.ts"
import { callable, durationMs, knownOptions, nameText, numberUpTo, positiveMs } from "./options.ts"
import { WorkerSession } from "./work/session.ts"
import type { WorkerSettings } from "./work/settings.ts"

/** The options of a worker. */
export interface WorkerOptions {
    /** The queue to work on. Its definitions should be registered before. */
    config: Config
    /** A nickname, for events and history. Default `anon`. */
    name?: string
    /** The worker runs jobs of the definitions with this channel. Default `_default`. */
    channel?: string
    /** How many jobs run at the same time. Values below 1 mean 1. Default 0; at most 100,000. */
    concurrency?: number
    /**
     * The most threads for job functions of definitions with `runIn: "thread"`, each for one job at a time. They start when
     * they are needed, and end when nothing came for half a minute. Values below 1 mean 1; never more than `concurrency`;
     * at most 1,000. Default `null`: as many as the machine has processors for us (`os.availableParallelism()`).
     */
    numThreads?: number | null
    /**
     * How many milliseconds to sleep after finding no job before looking again. New jobs of this Config, and of
     * others where LISTEN is heard, wake the worker earlier. Default 1000.
     */
    processIntervalMs?: number
    /**
     * A job whose definition is not registered here, and for which no daemon has vouched for so many milliseconds,
     * is finalized as failed. 0 means at once. Default 300,000.
     */
    orphanGraceMs?: number
    /** Hears the events of the worker. */
    eventHandler?: EventHandler
}

/** The defaults of `WorkerOptions`. */
export const WORKER_DEFAULTS = Object.freeze({
    name: "anon",
    channel: "_default",
    concurrency: 0,
    numThreads: null,
    processIntervalMs: 1_000,
    orphanGraceMs: 300_000,
})

const MAX_CONCURRENCY = 100_000
const MAX_THREADS = 1_000

const OPTIONS = [
    "config",
    "name",
    "channel",
    "concurrency",
    "numThreads",
    "processIntervalMs",
    "orphanGraceMs",
    "eventHandler",
]

/** Runs jobs. Starts when it is constructed. */
export class Worker extends Daemon {
    readonly #core: Core
    readonly #options: Readonly<Omit<WorkerSettings, "core" | "name" | "emit">>

    /** @throws InvalidOptionError for an option that is unknown or out of its range. */
    constructor(options: WorkerOptions) {
        knownOptions("Worker", options, OPTIONS)
        const { eventHandler } = options
        super({
            name: nameText("name", options.name ?? WORKER_DEFAULTS.name),
            eventHandler: eventHandler === undefined ? undefined : callable("eventHandler", eventHandler),
        })
        this.#core = coreOf(options.config)
        const concurrency = atLeastOne(
            "concurrency",
            options.concurrency ?? WORKER_DEFAULTS.concurrency,
            MAX_CONCURRENCY,
        )
        const numThreads = options.numThreads ?? WORKER_DEFAULTS.numThreads ?? availableParallelism()
        this.#options = Object.freeze({
            channel: nameText("channel", options.channel ?? WORKER_DEFAULTS.channel),
            concurrency,
            numThreads: Math.min(atLeastOne("numThreads", numThreads, MAX_THREADS), concurrency),
            processIntervalMs: positiveMs(
                "processIntervalMs",
                options.processIntervalMs ?? WORKER_DEFAULTS.processIntervalMs,
            ),
            orphanGraceMs: durationMs(
                "orphanGraceMs",
                options.orphanGraceMs ?? WORKER_DEFAULTS.orphanGraceMs,
            ),
        })
        this.start()
    }

    protected begin(): Session {
        const emit = this.isHeard ? this.emit.bind(this) : () => undefined
        const session = new WorkerSession({ core: this.#core, name: this.name, ...this.#options, emit })
        const { channel, concurrency } = this.#options
        return toldOf(session, {
            ...{ core: this.#core, kind: "worker", name: this.name, channel, concurrency },
            numRunning: () => session.numRunning,
            onError: (activity, error) => emit({ eventType: "daemon-error", activity, error }),
        })
    }
}

function atLeastOne(option: string, value: unknown, max: number): number {
    return Math.max(1, Math.floor(numberUpTo(option, value, max)))
}
