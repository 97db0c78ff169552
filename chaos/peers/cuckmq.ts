import { pathToFileURL } from "node:url"
import type { JobContext, JobDefinition, Config as QueueConfig, Daemon as QueueDaemon } from "cuckmq"
import pg from "pg"
import { pause } from "../pause.ts"
import {
    ATTEMPT_MS,
    bucketOf,
    CLEAN_INTERVAL_MS,
    CRON,
    FORCE_AFTER_MS,
    HISTORY_MS,
    JOB_KINDS,
    type JobKind,
    KEPT_MS,
    LEASE_MS,
    MAX_CROWD,
    NUM_RETRIES,
    NUM_THREADS,
    PAUSED_BUCKET,
    type Plan,
    POLL_MS,
    RATE_MAX,
    RATE_MS,
    RELEASE_MS,
    REPEAT_MS,
    REPLAYS_PER_SECOND,
    TIMEOUT_MS,
} from "../workload.ts"
import { cuckmqAudit } from "./cuckmq-audit.ts"
import type { Daemon, Handler, OnEvent, Peer, PeerOptions, Producer } from "./peer.ts"

type Module = typeof import("cuckmq")
/** Jobs of ticks have no key, and those of a definition's own ticks nothing at all. */
type AnyPlan = Plan | { readonly kind?: "schedule" }

/** Definitions that nobody vouches for in this time, and that have no jobs, are retired: within an outage, for example. */
const STALE_MS = 15_000

/** Dead letters on a page, and how many are replayed with one call at the most. */
const LETTERS_ON_PAGE = 4
const MAX_REPLAYED = 10

/** Where a library that is imported by name is. */
const HERE = import.meta.resolve("cuckmq")

/** The queue that this repository is about: the build that its name stands for, or another. */
export async function makeCuckmq(path?: string): Promise<Peer> {
    const url = path === undefined ? HERE : pathToFileURL(path).href
    return new Cuckmq((await import(url)) as Module)
}

class Cuckmq implements Peer {
    readonly name = "cuckmq"
    readonly kinds: ReadonlySet<JobKind> = new Set(JOB_KINDS)
    readonly #module: Module

    constructor(module: Module) {
        this.#module = module
    }

    async prepare(options: PeerOptions): Promise<void> {
        const queue = new Queue(this.#module, options)
        await queue.config.prepareSchema()
        await queue.close()
    }

    prepareAgain(options: PeerOptions): Promise<void> {
        return this.prepare(options)
    }

    auditText(schema: string): string {
        return cuckmqAudit(schema)
    }

    unfinishedText(schema: string): string {
        return `select count(*) from ${pg.escapeIdentifier(schema)}.job`
    }

    async startProducer(options: PeerOptions): Promise<Producer> {
        const queue = new Queue(this.#module, options)
        return {
            defer: (plans) => queue.defer(plans),
            deferIn: (client, plans) => queue.defer(plans, client),
            cancel: (jobIDs) => queue.config.jobs.cancelMany(jobIDs.map(Number), { reason: "chaos" }),
            findDeadLetters: async (kind) => {
                const { deadLetters } = await queue.config.jobs.deadLetters({
                    definition: nameOf(kind),
                    limit: LETTERS_ON_PAGE,
                })
                return deadLetters.map(({ jobID }) => String(jobID))
            },
            replay: (jobID) => queue.config.jobs.replay(Number(jobID)),
            replayMany: (kind) =>
                queue.config.jobs.replayMany({
                    definition: nameOf(kind),
                    reason: "error",
                    limit: MAX_REPLAYED,
                    ratePerSecond: REPLAYS_PER_SECOND,
                }),
            pause: async (isPaused) => {
                const targets = [
                    { definition: nameOf("paused") },
                    { definition: nameOf("key-paused"), key: PAUSED_BUCKET },
                ]
                for (const target of targets) {
                    if (isPaused) await queue.config.pause(target, { reason: "chaos" })
                    else await queue.config.resume(target)
                }
            },
            poolTotals: () => queue.poolTotals(),
            close: () => queue.close(),
        }
    }

    async startWorker(
        options: PeerOptions,
        { concurrency, handler, onEvent }: { concurrency: number; handler: Handler; onEvent: OnEvent },
    ): Promise<Daemon> {
        const queue = new Queue(this.#module, options, handler)
        queue.register()
        return queue.daemonOf(
            new this.#module.Worker({
                config: queue.config,
                name: options.process,
                concurrency,
                numThreads: NUM_THREADS,
                processIntervalMs: POLL_MS,
                eventHandler: ({ event }) => onEvent(told(event)),
            }),
        )
    }

    async startOrchestrator(options: PeerOptions, onEvent: OnEvent): Promise<Daemon> {
        const queue = new Queue(this.#module, options)
        queue.register()
        void queue.writeSchedule()
        return queue.daemonOf(
            new this.#module.Orchestrator({
                config: queue.config,
                name: options.process,
                repeatIntervalMs: CLEAN_INTERVAL_MS,
                heartbeatIntervalMs: CLEAN_INTERVAL_MS,
                cleanIntervalMs: CLEAN_INTERVAL_MS,
                staleJobDefinitionSweepThresholdMs: STALE_MS,
                finalizedJobSweepThresholdMs: HISTORY_MS,
                failedJobSweepThresholdMs: HISTORY_MS,
                eventHandler: ({ event }) => onEvent(told(event)),
            }),
        )
    }
}

/** A Config with a pool and a definition for each kind of job. */
class Queue {
    readonly config: QueueConfig
    readonly #pool: pg.Pool
    readonly #definitions: ReadonlyMap<JobKind, JobDefinition<AnyPlan, unknown>>

    constructor(module: Module, options: PeerOptions, handler: Handler = neverCalled) {
        // The pool has no listeners and no timeouts of the campaign's: that the library copes with it as it comes is
        // part of what is tried.
        this.#pool = new pg.Pool({
            connectionString: options.connectionString,
            application_name: options.process,
            max: options.maxConnections,
        })
        this.config = new module.Config({ pool: this.#pool, schema: options.schema })
        this.#definitions = new Map(JOB_KINDS.map((kind) => [kind, this.#define(module, kind, handler)]))
    }

    /** As an application does whenever it starts, until it is done: it must not shift or lose a tick. */
    async writeSchedule(): Promise<void> {
        const definition = this.#definitions.get("schedule")
        if (definition === undefined) return
        const schedule = { name: "chaos", definition, payload: { kind: "schedule" } as const, cron: CRON }
        for (;;) {
            const isDone = await this.config.schedules.upsert(schedule).then(
                () => true,
                () => false,
            )
            if (isDone || this.#pool.ending) return
            await pause(POLL_MS)
        }
    }

    register(): void {
        for (const definition of this.#definitions.values()) definition.register()
    }

    /** Jobs of one kind go with one call; kinds have definitions of their own, and go side by side. */
    async defer(
        plans: readonly { plan: Plan; requiredIDs: readonly string[] }[],
        client?: pg.ClientBase,
    ): Promise<string[]> {
        const ids = new Map<string, string>()
        const deferKind = async (kind: JobKind, ofKind: typeof plans) => {
            for (const [at, id] of (await this.#deferKind(kind, ofKind, client)).entries())
                ids.set((ofKind[at] as (typeof plans)[number]).plan.key, String(id))
        }
        const byKind = Map.groupBy(plans, ({ plan }) => plan.kind)
        // A transaction has one connection: there they wait for each other anyway, in this order.
        if (client === undefined)
            await Promise.all([...byKind].map(([kind, ofKind]) => deferKind(kind, ofKind)))
        else for (const [kind, ofKind] of byKind) await deferKind(kind, ofKind)
        return plans.map(({ plan }) => ids.get(plan.key) as string)
    }

    async #deferKind(
        kind: JobKind,
        plans: readonly { plan: Plan; requiredIDs: readonly string[] }[],
        client: pg.ClientBase | undefined,
    ): Promise<number[]> {
        const definition = this.#definitions.get(kind)
        if (definition === undefined) throw new TypeError(`no definition of ${kind}`)
        const transaction = client === undefined ? {} : { client }
        const jobs = plans.map(({ plan, requiredIDs }) => ({
            payload: plan,
            ...(plan.delayMs === undefined ? {} : { delayMs: plan.delayMs }),
            ...(requiredIDs.length === 0 ? {} : { dependencies: requiredIDs.map(Number) }),
        }))
        const [only] = jobs
        if (jobs.length === 1 && only !== undefined)
            return [await definition.defer({ ...only, ...transaction })]
        return definition.deferMany(jobs, transaction)
    }

    daemonOf(daemon: QueueDaemon): Daemon {
        return {
            stop: () => daemon.stop(),
            join: async (graceMs) => {
                await daemon.join({ graceMs })
                void this.close()
            },
            poolTotals: () => this.poolTotals(),
        }
    }

    poolTotals(): { total: number; idle: number; waiting: number } {
        const { totalCount, idleCount, waitingCount } = this.#pool
        return { total: totalCount, idle: idleCount, waiting: waitingCount }
    }

    close(): Promise<void> {
        return this.#pool.end()
    }

    #define(module: Module, kind: JobKind, handler: Handler): JobDefinition<AnyPlan, unknown> {
        const rules = {
            config: this.config,
            name: nameOf(kind),
            numAttempts: NUM_RETRIES,
            retryDelayMs: () => 100 + Math.random() * 400,
            lockIntervalMs: LEASE_MS,
            ...(kind === "overrun" ? { attemptTimeoutMs: ATTEMPT_MS } : {}),
            ...(kind === "limited" ? { releaseIntervalMs: RELEASE_MS } : {}),
            ...(kind === "crowded" ? { concurrencyLimit: { max: MAX_CROWD, key: bucket } } : {}),
            ...(kind === "metered" ? { rateLimit: { max: RATE_MAX, perMs: RATE_MS, key: bucket } } : {}),
            ...(kind === "key-paused" ? { group: { key: bucket } } : {}),
            ...(kind === "ordered" ? { group: { key: bucket, ordered: true } } : {}),
            ...(kind === "urgent" ? { priority: -10 } : {}),
            // Before the backlog, so that some have failed, and are replayed, while there are faults.
            ...(kind === "broken" ? { priority: -5 } : {}),
            ...(kind === "unique" ? { unique: { key: bucket } } : {}),
            ...(kind === "kept" ? { keepSucceededMs: KEPT_MS, keepFailedMs: KEPT_MS } : {}),
            ...(kind === "unkept" ? { keepSucceededMs: 0, keepFailedMs: KEPT_MS } : {}),
            ...(kind === "repeat" ? { repeatIntervalMs: REPEAT_MS } : {}),
            ...(kind === "hang" || kind === "thread-hang" ? { timeoutIntervalMs: TIMEOUT_MS } : {}),
        }
        if (kind === "thread" || kind === "thread-hang")
            return new module.JobDefinition<AnyPlan, unknown>({
                ...rules,
                runIn: "thread",
                module: new URL("../programs/thread-handler.ts", import.meta.url),
                forceAfterMs: FORCE_AFTER_MS,
            })
        return new module.JobDefinition<AnyPlan, unknown>({
            ...rules,
            jobFunction: (payload: AnyPlan, context: JobContext) =>
                handler(
                    "key" in payload ? (payload as Plan) : { kind: payload.kind ?? "repeat", key: null },
                    runOf(module, context),
                ),
        })
    }
}

function nameOf(kind: JobKind): string {
    return `chaos-${kind}`
}

function bucket(payload: AnyPlan): string {
    return bucketOf("key" in payload ? payload.key : "")
}

function runOf(module: Module, context: JobContext): Parameters<Handler>[1] {
    const { jobID, attempt, token, signal, complete, snooze } = context
    return {
        jobID: String(jobID),
        attempt,
        token: String(token),
        signal,
        complete: (client) => complete({ client }),
        snooze,
        unretryable: (message) => new module.Unretryable(message),
    }
}

/** An event as a record has it. */
function told(event: { eventType: string }): Parameters<OnEvent>[0] {
    const { eventType, jobID, ...rest } = event as { eventType: string; jobID?: number }
    const detail = Object.entries(rest)
        .map(([name, value]) => `${name}: ${value instanceof Error ? value.message : JSON.stringify(value)}`)
        .join(", ")
    return {
        type: eventType,
        jobID: jobID === undefined ? null : String(jobID),
        detail: detail === "" ? null : detail.slice(0, 200),
    }
}

function neverCalled(): never {
    throw new Error("no handler: this process only defers, or maintains")
}
