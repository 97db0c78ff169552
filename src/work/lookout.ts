import { Alarm, monotonicMs } from "../clock.ts"
import { shrinking } from "../db/shrinking.ts"
import { isHoldingBack } from "../gate.ts"
import { reclaimLapsed } from "../recover.ts"
import type { RegisteredJob } from "../registry.ts"
import { heartbeatDefinitions } from "../statements/definitions.ts"
import { lookAround, type Outlook } from "../statements/look-around.ts"
import { promoteDelayedJobs } from "../statements/promote-delayed-jobs.ts"
import type { KnownDefinition } from "./claimer.ts"
import type { Lanes } from "./lanes.ts"
import { finalizeDoomedForWorker, finalizeOrphans } from "./repair.ts"
import type { WorkerSettings } from "./settings.ts"

/** How often a worker vouches for its definitions. */
const HEARTBEAT_MS = 60_000

/**
 * How soon to look again at delayed jobs that are due but locked, most often by another worker that promotes them.
 * Doubles while they stay locked.
 */
const OVERDUE_RETRY_MS = 25

const MAX_PROMOTED = 1_000

/** Workers that started together should not go on looking together, so each sleeps for up to so much longer. */
const MAX_JITTER = 0.1

/**
 * What a worker sees besides its claims: once every process interval, and when a timer or a hint says so, it looks
 * around with one query and sees to what it finds. This is the way of correctness: it works when no hint is heard.
 */
export class Lookout {
    readonly #settings: WorkerSettings
    readonly #lanes: Lanes
    readonly #onError: (activity: string, error: unknown) => void
    readonly #onReady: () => void
    readonly #onRelease: (inMs: number) => void
    readonly #onLook: () => void
    readonly #onPaused: (outlook: Outlook) => Promise<void>
    readonly #alarm = new Alarm(() => this.look())
    readonly #promoteInTime = shrinking(MAX_PROMOTED)
    #known = new Map<number, KnownDefinition>()
    #unlimited: readonly KnownDefinition[] = []
    #limited: readonly KnownDefinition[] = []
    #gated: readonly KnownDefinition[] = []
    #grouped: readonly KnownDefinition[] = []
    #isStopped = false
    #isWanted = false
    #looking: Promise<void> | undefined
    #overdueRetryMs = OVERDUE_RETRY_MS
    // Long ago: the definition may have been written down when this process deferred its first job.
    #heartbeatAtMs = Number.NEGATIVE_INFINITY

    constructor(params: {
        settings: WorkerSettings
        lanes: Lanes
        onError: (activity: string, error: unknown) => void
        /** Jobs may stand ready. */
        onReady: () => void
        /** A rate-limited definition with ready jobs may release one in so many milliseconds. */
        onRelease: (inMs: number) => void
        /** Called at every look. */
        onLook: () => void
        /** Something is paused, as a look has seen. */
        onPaused: (outlook: Outlook) => Promise<void>
    }) {
        this.#settings = params.settings
        this.#lanes = params.lanes
        this.#onError = params.onError
        this.#onReady = params.onReady
        this.#onRelease = params.onRelease
        this.#onLook = params.onLook
        this.#onPaused = params.onPaused
    }

    /** The definitions without a rate limit. */
    get unlimited(): readonly KnownDefinition[] {
        return this.#unlimited
    }

    /** The definitions with a rate limit. */
    get limited(): readonly KnownDefinition[] {
        return this.#limited
    }

    /** The definitions whose jobs a gate holds back. */
    get gated(): readonly KnownDefinition[] {
        return this.#gated
    }

    /** Those whose jobs only take turns. */
    get grouped(): readonly KnownDefinition[] {
        return this.#grouped
    }

    definitionOf(id: number): RegisteredJob | undefined {
        return this.#known.get(id)?.definition
    }

    /** Looks now, or once more when the look that is under way has ended. */
    look(): void {
        if (this.#isStopped) return
        this.#isWanted = true
        this.#looking ??= this.#lookWhileWanted().finally(() => {
            this.#looking = undefined
        })
    }

    /** Looks after so many milliseconds, if not before. */
    lookWithin(ms: number): void {
        if (!this.#isStopped) this.#alarm.setNoLaterThan(ms)
    }

    stop(): void {
        this.#isStopped = true
        this.#alarm.clear()
    }

    /** Resolves when no look is under way. */
    async idle(): Promise<void> {
        await this.#looking
    }

    async #lookWhileWanted(): Promise<void> {
        while (this.#isWanted && !this.#isStopped) {
            this.#isWanted = false
            this.#alarm.clear()
            let nextLookMs = this.#settings.processIntervalMs * (1 + Math.random() * MAX_JITTER)
            try {
                nextLookMs = Math.min(nextLookMs, await this.#lookOnce())
            } catch (error) {
                this.#onError("look around", error)
            }
            if (!this.#isStopped) this.#alarm.setNoLaterThan(nextLookMs)
        }
    }

    /** Returns the milliseconds until there is something to look at again. */
    async #lookOnce(): Promise<number> {
        const { core, channel, orphanGraceMs } = this.#settings
        await this.#learn()
        this.#onLook()
        const limitedIDs = this.#limited.map(({ id }) => id)
        if (this.#lanes.rewindInMs(monotonicMs()) === 0) this.#lanes.rewind(monotonicMs())
        const outlook = await lookAround({
            run: core.run,
            schema: core.schema,
            lanes: this.#lanes.all(this.#unlimited.map(({ id }) => ({ definitionID: id, leaseID: 0 }))),
            limitedIDs,
            channel,
            knownIDs: [...this.#known.keys()],
            orphanGraceMs,
        })
        if (this.#isStopped) return Number.POSITIVE_INFINITY
        if (outlook.pausedIDs.length > 0 || outlook.hasPausedKeys) await this.#onPaused(outlook)
        if (outlook.hasReady) this.#onReady()
        if (outlook.nextReleaseMs !== null) this.#onRelease(outlook.nextReleaseMs)
        await this.#repair(outlook)
        return this.#promote(outlook.nextDueMs)
    }

    async #repair(outlook: Outlook): Promise<void> {
        const { core, channel, orphanGraceMs, emit } = this.#settings
        if (outlook.hasLapsedLease) {
            await reclaimLapsed(core)
            this.#onReady()
        }
        if (outlook.hasDoomed || outlook.hasLapsedLease) await finalizeDoomedForWorker(core, emit)
        if (outlook.hasOrphan) {
            const knownIDs = [...this.#known.keys()]
            await finalizeOrphans({ core, channel, knownIDs, graceMs: orphanGraceMs, emit })
        }
    }

    /** Makes due jobs ready. Returns the milliseconds until the next one is due. */
    async #promote(nextDueMs: number | null): Promise<number> {
        if (nextDueMs === null || nextDueMs > 0) {
            this.#overdueRetryMs = OVERDUE_RETRY_MS
            return nextDueMs ?? Number.POSITIVE_INFINITY
        }
        const { run, schema } = this.#settings.core
        const numPromoted = await this.#promoteInTime((limit) => promoteDelayedJobs({ run, schema, limit }))
        if (numPromoted > 0) {
            this.#overdueRetryMs = OVERDUE_RETRY_MS
            this.#onReady()
            return 0
        }
        this.#overdueRetryMs *= 2
        return this.#overdueRetryMs / 2
    }

    /** Learns the ids of the Config's definitions, and vouches for them when it is time. */
    async #learn(): Promise<void> {
        const { core, channel } = this.#settings
        const known = new Map<number, KnownDefinition>()
        for (const definition of core.registry.jobs()) {
            const id = await core.registry.idOf(definition)
            known.set(id, { id, definition })
        }
        this.#known = known
        const ours = [...known.values()].filter(({ definition }) => definition.channel === channel)
        const gated = ours.filter(({ definition }) => definition.gate !== null)
        this.#gated = gated.filter(({ definition }) => isHoldingBack(definition.gate))
        this.#grouped = gated.filter(({ definition }) => !isHoldingBack(definition.gate))
        const ungated = ours.filter(({ definition }) => definition.gate === null)
        this.#unlimited = ungated.filter(({ definition }) => definition.releaseIntervalMs === 0)
        this.#limited = ungated.filter(({ definition }) => definition.releaseIntervalMs > 0)
        if (known.size === 0 || monotonicMs() - this.#heartbeatAtMs < HEARTBEAT_MS) return
        this.#heartbeatAtMs = monotonicMs()
        const ids = await heartbeatDefinitions({ run: core.run, schema: core.schema, ids: [...known.keys()] })
        for (const [id, { definition }] of known) if (!ids.includes(id)) core.registry.forget(definition.name)
    }
}
