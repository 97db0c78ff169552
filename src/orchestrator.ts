import type { Chore } from "./chores/chore.ts"
import { expireJobs } from "./chores/expire-jobs.ts"
import { heartbeat } from "./chores/heartbeat.ts"
import { performOperations } from "./chores/perform-operations.ts"
import { recoverJobs } from "./chores/recover-jobs.ts"
import { repeatJobs } from "./chores/repeat-jobs.ts"
import { sweepDaemons } from "./chores/sweep-daemons.ts"
import { sweepDefinitions } from "./chores/sweep-definitions.ts"
import { sweepHistory } from "./chores/sweep-history.ts"
import { sweepJobLogs } from "./chores/sweep-job-logs.ts"
import { sweepOperations } from "./chores/sweep-operations.ts"
import { sweepThroughput } from "./chores/sweep-throughput.ts"
import { sweepUniqueKeys } from "./chores/sweep-unique-keys.ts"
import { Alarm, monotonicMs } from "./clock.ts"
import { type Config, type Core, coreOf } from "./config.ts"
import { Daemon, type Session } from "./daemon.ts"
import type { Event, EventHandler } from "./events.ts"
import { toldOf } from "./heartbeat.ts"
import type { News } from "./hints.ts"
import { callable, durationMs, knownOptions, nameText, positiveMs } from "./options.ts"

/** The options of an orchestrator. */
export interface OrchestratorOptions {
    /** The queue to maintain. Its definitions should be registered before. */
    config: Config
    /** A nickname, for events. Default `anon`. */
    name?: string
    /** How many milliseconds to wait after finding no repeating job due, unless one is due earlier. Default 30,000. */
    repeatIntervalMs?: number
    /** How many milliseconds lie between two heartbeats of the Config's definitions. Default 60,000. */
    heartbeatIntervalMs?: number
    /** How many milliseconds lie between two clean-ups of the database. Default 300,000 (5 minutes). */
    cleanIntervalMs?: number
    /** A definition without a heartbeat for so many milliseconds, and without live jobs, is removed. Default 3,600,000. */
    staleJobDefinitionSweepThresholdMs?: number
    /**
     * Jobs that succeeded are kept for so many milliseconds, and removed within a tenth of that and one clean interval
     * more. Default 43,200,000 (12 hours).
     */
    finalizedJobSweepThresholdMs?: number
    /**
     * The same for jobs that failed (dead letters), which are kept apart: for so many milliseconds at least, and no more
     * than twice as long and one clean interval. Default 1,209,600,000 (14 days).
     */
    failedJobSweepThresholdMs?: number
    /** Hears the events of the orchestrator. */
    eventHandler?: EventHandler
}

/** The defaults of `OrchestratorOptions`. */
export const ORCHESTRATOR_DEFAULTS = Object.freeze({
    name: "anon",
    repeatIntervalMs: 30_000,
    heartbeatIntervalMs: 60_000,
    cleanIntervalMs: 5 * 60_000,
    staleJobDefinitionSweepThresholdMs: 60 * 60_000,
    finalizedJobSweepThresholdMs: 12 * 60 * 60_000,
    failedJobSweepThresholdMs: 14 * 24 * 60 * 60_000,
})

const OPTIONS = ["config", "eventHandler", ...Object.keys(ORCHESTRATOR_DEFAULTS)]

/** After a fault, a chore is tried again this soon, or at its own interval when that is shorter. */
const RETRY_MS = 1_000

/** Repeats jobs, and keeps the database clean. Any number may run; starts when it is constructed. */
export class Orchestrator extends Daemon {
    readonly #core: Core
    readonly #chores: readonly Chore[]

    /** @throws InvalidOptionError for an option that is unknown or out of its range. */
    constructor(options: OrchestratorOptions) {
        knownOptions("Orchestrator", options, OPTIONS)
        const { eventHandler } = options
        super({
            name: nameText("name", options.name ?? ORCHESTRATOR_DEFAULTS.name),
            eventHandler: eventHandler === undefined ? undefined : callable("eventHandler", eventHandler),
        })
        this.#core = coreOf(options.config)
        const settings = { ...ORCHESTRATOR_DEFAULTS, ...withoutAbsent(options) }
        const cleanIntervalMs = positiveMs("cleanIntervalMs", settings.cleanIntervalMs)
        const staleThresholdMs = durationMs(
            "staleJobDefinitionSweepThresholdMs",
            settings.staleJobDefinitionSweepThresholdMs,
        )
        const historyThresholdMs = durationMs(
            "finalizedJobSweepThresholdMs",
            settings.finalizedJobSweepThresholdMs,
        )
        const failedThresholdMs = durationMs("failedJobSweepThresholdMs", settings.failedJobSweepThresholdMs)
        this.#chores = [
            heartbeat(positiveMs("heartbeatIntervalMs", settings.heartbeatIntervalMs)),
            repeatJobs(positiveMs("repeatIntervalMs", settings.repeatIntervalMs)),
            recoverJobs(),
            performOperations(),
            expireJobs(cleanIntervalMs),
            sweepHistory({ cleanIntervalMs, thresholdMs: historyThresholdMs, failedThresholdMs }),
            sweepUniqueKeys(cleanIntervalMs),
            sweepJobLogs(cleanIntervalMs),
            sweepThroughput(cleanIntervalMs),
            sweepDefinitions({ cleanIntervalMs, staleThresholdMs, historyThresholdMs }),
            sweepDaemons(cleanIntervalMs),
            sweepOperations(cleanIntervalMs),
        ]
        this.start()
    }

    protected begin(): Session {
        const emit = this.emit.bind(this)
        const session = new ChoreSession({ core: this.#core, chores: this.#chores, emit })
        return toldOf(session, {
            ...{ core: this.#core, kind: "orchestrator", name: this.name, channel: null, concurrency: null },
            numRunning: () => 0,
            onError: (activity, error) => emit({ eventType: "daemon-error", activity, error }),
        })
    }
}

function withoutAbsent<T extends object>(options: T): Partial<T> {
    return Object.fromEntries(
        Object.entries(options).filter(([, value]) => value !== undefined && value !== null),
    ) as Partial<T>
}

/** One life of an orchestrator: does each chore when it is due, one at a time. */
class ChoreSession implements Session {
    readonly ended: Promise<void>
    readonly #core: Core
    readonly #emit: (event: Event) => void
    readonly #due: Map<Chore, number>
    readonly #hurried = new Set<Chore>()
    readonly #unsubscribe: () => void
    readonly #endCounting: () => Promise<void>
    #isStopping = false
    #wake: () => void = () => undefined
    #resolveEnded: () => void = () => undefined

    constructor(params: { core: Core; chores: readonly Chore[]; emit: (event: Event) => void }) {
        this.#core = params.core
        this.#emit = params.emit
        this.#due = new Map(params.chores.map((chore) => [chore, 0]))
        this.ended = new Promise((resolve) => {
            this.#resolveEnded = resolve
        })
        this.#unsubscribe = this.#core.hints.onNews((news) => this.#hurry(news))
        this.#endCounting = this.#core.counter.attach((activity, error) =>
            this.#emit({ eventType: "daemon-error", activity, error }),
        )
        void this.#run().then(this.#endCounting).then(this.#resolveEnded)
    }

    stop(): void {
        this.#isStopping = true
        this.#unsubscribe()
        this.#wake()
    }

    /** Does not wait for the chore that is under way: each may be cut off anywhere, as by a crash. */
    force(): void {
        this.#resolveEnded()
    }

    async #run(): Promise<void> {
        while (!this.#isStopping) {
            for (const [chore, dueMs] of this.#due) {
                const isDue = this.#hurried.has(chore) || dueMs <= monotonicMs()
                if (this.#isStopping || !isDue) continue
                this.#hurried.delete(chore)
                this.#due.set(chore, monotonicMs() + (await this.#do(chore)))
            }
            if (this.#hurried.size === 0) await this.#sleep(Math.min(...this.#due.values()) - monotonicMs())
        }
    }

    /** A schedule was changed, whose tick may be nearer than any that was known; or an operation waits. */
    #hurry(news: News): void {
        for (const chore of this.#due.keys()) if (chore.heeds === news) this.#hurried.add(chore)
        this.#wake()
    }

    async #do(chore: Chore): Promise<number> {
        try {
            return await chore.run({ core: this.#core, emit: this.#emit })
        } catch (error) {
            this.#emit({ eventType: "daemon-error", activity: chore.name, error })
            return RETRY_MS
        }
    }

    /** A timer even when something is due: PGlite answers without letting the process do anything else. */
    async #sleep(ms: number): Promise<void> {
        if (this.#isStopping) return
        await new Promise<void>((resolve) => {
            const alarm = new Alarm(resolve)
            this.#wake = () => {
                alarm.clear()
                resolve()
            }
            alarm.set(ms)
        })
    }
}
