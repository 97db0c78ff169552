import { randomUUID } from "node:crypto"
import { hostname } from "node:os"
import { Alarm } from "./clock.ts"
import type { Core } from "./core.ts"
import type { Session } from "./daemon.ts"
import {
    type DaemonKind,
    type DaemonState,
    enterDaemon,
    heartbeatDaemon,
    removeDaemon,
} from "./statements/daemons.ts"
import { VERSION } from "./version.ts"

/** How often a daemon says that it lives. */
const INTERVAL_MS = 10_000

/** How long after its start it says so first: its definitions and its first claims come before. */
const FIRST_MS = 100

/** How long a daemon that has stopped waits for its row to be removed: a sweep does it otherwise. */
const REMOVE_MS = 1_000

/** What a daemon tells of itself, for those who look on. */
export interface Told {
    core: Core
    kind: DaemonKind
    name: string
    /** Of a worker. */
    channel: string | null
    concurrency: number | null
    /** How many jobs it runs now. */
    numRunning: () => number
    /** Milliseconds between two heartbeats; left out but in tests. */
    intervalMs?: number
    onError: (activity: string, error: unknown) => void
}

/**
 * Writes a daemon down while its session goes on: soon after its start, then every ten seconds while there is news, until it has stopped. It
 * stands beside the session and not within it: nothing waits for it, and nothing is different when the database takes none
 * of it.
 */
export function toldOf(session: Session, told: Told): Session {
    const heartbeat = new Heartbeat(told)
    let isForced = false
    return {
        ended: session.ended.then(async () => {
            const removed = heartbeat.end()
            if (!isForced) await Promise.race([removed, elapsed(REMOVE_MS, removed)])
        }),
        stop: () => {
            heartbeat.isStopping = true
            session.stop()
        },
        force: () => {
            isForced = true
            session.force()
        },
    }
}

class Heartbeat {
    isStopping = false
    readonly #id = randomUUID()
    readonly #told: Told
    readonly #intervalMs: number
    readonly #alarm = new Alarm(() => void this.#beat())
    #hasBegun = false
    #isEnded = false
    /** Whether the last one failed: an error is told once, and not every ten seconds. */
    #isFailing = false
    /** The names that were written down last, as one text; undefined when there may be no row. */
    #written: string | undefined
    /** The whole of it, if it was written at the last beat. */
    #justTold: string | undefined
    #beating: Promise<void> = Promise.resolve()

    constructor(told: Told) {
        this.#told = told
        this.#intervalMs = told.intervalMs ?? INTERVAL_MS
        this.#alarm.set(Math.min(FIRST_MS, this.#intervalMs))
    }

    /** Removes the row, if one may have been written. */
    async end(): Promise<void> {
        this.#isEnded = true
        this.#alarm.clear()
        if (!this.#hasBegun) return
        const { run, schema } = this.#told.core
        // One that is under way would write the row again.
        await this.#beating
        await removeDaemon({ run, schema, id: this.#id }).catch(() => undefined)
    }

    /**
     * Every other beat says nothing if there is nothing new: an idle fleet asks little of its database. Two intervals are
     * still less than the three after which one counts as gone.
     */
    #beat(): Promise<void> {
        this.#hasBegun = true
        this.#beating = this.#write()
            .then(
                () => {
                    this.#isFailing = false
                },
                (error: unknown) => {
                    this.#written = undefined
                    if (!this.#isFailing && !this.#isEnded) this.#told.onError("tell of the daemon", error)
                    this.#isFailing = true
                },
            )
            .then(() => {
                if (!this.#isEnded) this.#alarm.set(this.#intervalMs)
            })
        return this.#beating
    }

    async #write(): Promise<void> {
        const { core, kind, name, channel, concurrency, numRunning } = this.#told
        const { run, schema } = core
        const state: DaemonState = { numRunning: numRunning(), isStopping: this.isStopping }
        const definitionNames = core.registry
            .jobs()
            .filter((job) => channel === null || job.channel === channel)
            .map((job) => job.name)
            .sort()
        const names = JSON.stringify(definitionNames)
        const told = JSON.stringify([names, state])
        const isNew = told !== this.#justTold
        this.#justTold = undefined
        if (!isNew) return
        if (this.#written !== names || !(await heartbeatDaemon({ run, schema, id: this.#id, state }))) {
            const daemon = {
                ...{ id: this.#id, kind, name, channel, concurrency },
                ...{ host: hostname(), pid: process.pid, version: VERSION, intervalMs: this.#intervalMs },
            }
            await enterDaemon({ run, schema, daemon, state, definitionNames })
            this.#written = names
        }
        this.#justTold = told
    }
}

/** Resolves after so many milliseconds, or when the work is done, so that no timer holds the process. */
function elapsed(ms: number, done: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
        const alarm = new Alarm(resolve)
        alarm.set(ms)
        void done.then(() => alarm.clear())
    })
}
