import { EventEmitter } from "node:events"
import { Alarm, monotonicMs } from "./clock.ts"
import type { Event, EventHandler } from "./events.ts"
import { durationMs, knownOptions } from "./options.ts"
import { recordThrown } from "./thrown.ts"

/** How to wait for a daemon to stop. */
export interface JoinOptions {
    /**
     * How many milliseconds, from the request to stop, a daemon may take to finish what it runs. After that the signals
     * of running handlers are aborted and their jobs handed back, not charged. Default: as long as it takes.
     */
    graceMs?: number
}

let numDaemons = 0

/** What a daemon does between start and stop. */
export interface Session {
    /** Resolves when everything has ended after `stop`. */
    readonly ended: Promise<void>
    /** Asks to take on nothing new. */
    stop(): void
    /** Ends what still runs. */
    force(): void
}

/** A program that runs until it is asked to stop. Workers and orchestrators are daemons. */
export abstract class Daemon {
    /** Unique among the daemons of this process. */
    readonly daemonID: number
    /** The name it was given. */
    readonly name: string
    readonly #eventHandler: EventHandler | undefined
    readonly #signals = new EventEmitter()
    #session: Session | undefined
    #ended: Promise<void> = Promise.resolve()
    #isStopping = false
    #stopAskedAtMs = 0
    #hasWarned = false

    constructor(params: { name: string; eventHandler: EventHandler | undefined }) {
        this.daemonID = ++numDaemons
        this.name = params.name
        this.#eventHandler = params.eventHandler
    }

    /** Begins the work; returns at once. */
    protected abstract begin(): Session

    /**
     * Starts the daemon. Constructors do so themselves. Does nothing while the daemon runs or has yet to stop: to
     * start it again, `await join()` first.
     */
    start(): void {
        if (this.#session !== undefined) return
        this.#isStopping = false
        this.emit({ eventType: "daemon-start" })
        const session = this.begin()
        this.#session = session
        this.#ended = session.ended.then(() => {
            this.#session = undefined
            this.emit({ eventType: "daemon-stop" })
        })
    }

    /** Asks the daemon to stop: it takes on nothing new and ends when what it runs has ended. */
    stop(): void {
        if (this.#session === undefined || this.#isStopping) return
        this.#isStopping = true
        this.#stopAskedAtMs = monotonicMs()
        this.emit({ eventType: "daemon-stop-signal-send" })
        this.#session.stop()
        this.#signals.emit("stop")
    }

    /** The same as `stop`. */
    setShouldStop(): void {
        this.stop()
    }

    /**
     * Waits until the daemon has stopped. It does not ask it to stop.
     *
     * @throws InvalidOptionError for an option that is unknown or out of its range; nothing else.
     */
    async join(options: JoinOptions = {}): Promise<void> {
        knownOptions("join", options, ["graceMs"])
        const { graceMs } = options
        if (graceMs === undefined) return this.#ended
        durationMs("graceMs", graceMs)
        const ended = this.#ended
        const alarm = new Alarm(() => this.#session?.force())
        const arm = () => alarm.set(this.#stopAskedAtMs + graceMs - monotonicMs())
        if (this.#isStopping) arm()
        else this.#signals.once("stop", arm)
        await ended
        this.#signals.off("stop", arm)
        alarm.clear()
    }

    /** Stops the daemon and waits until it has stopped: for `await using`. */
    async [Symbol.asyncDispose](): Promise<void> {
        this.stop()
        await this.join()
    }

    /** Whether anyone hears what `emit` says. */
    protected get isHeard(): boolean {
        return this.#eventHandler !== undefined
    }

    protected emit(event: Event): void {
        if (this.#eventHandler === undefined) return
        try {
            const returned: unknown = this.#eventHandler({
                daemonID: this.daemonID,
                name: this.name,
                event,
                timestamp: new Date(),
            })
            if (returned instanceof Promise) returned.catch((error: unknown) => this.#warn(error))
        } catch (error) {
            this.#warn(error)
        }
    }

    #warn(error: unknown): void {
        if (this.#hasWarned) return
        this.#hasWarned = true
        const { name, message, stack } = recordThrown({ thrown: error, attempt: 0, worker: this.name })
        process.emitWarning(
            `an eventHandler of cuckmq threw, which is ignored from now on: ${stack ?? `${name}: ${message}`}`,
            "CuckmqWarning",
        )
    }
}
