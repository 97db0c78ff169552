import { Alarm, monotonicMs } from "../clock.ts"
import type { Core } from "../config.ts"
import { isHoldingBack } from "../gate.ts"
import { ensureGates } from "../statements/gates.ts"
import type { ClaimHost, KnownDefinition, LaneClaim, Visit } from "./claimer.ts"
import type { Wanted } from "./run-pool.ts"
import { StrayJobs } from "./stray-jobs.ts"

/** Where more lanes are full than one claim goes through, looking for one that is not takes a tenth of the time. */
const EMPTY_SHARE = 0.1

/** How soon to claim again where a rate says that it may: clocks are not that fine. */
const MIN_RELEASE_MS = 1

/** How soon to claim again where another claim was faster; doubles while it is. */
const FIRST_CONTENDED_MS = 1
const LAST_CONTENDED_MS = 50

/** How far the claims have come with a definition. */
interface Round {
    afterLane: string
    /** It has begun at the first lane since a claim brought something. */
    isLast: boolean
}

/**
 * Takes the jobs of gated definitions from the queue, lane by lane: each claim goes on where the one before it ended, so
 * that lanes take turns. It claims when there may be something: after a hint, a look, or the end of a gated job.
 */
export class GatedClaims {
    readonly #core: Core
    readonly #claimByLanes: (definitions: readonly Visit[], limit: number) => Promise<LaneClaim>
    readonly #wanted: () => Wanted
    readonly #host: ClaimHost
    readonly #strays: StrayJobs
    readonly #rounds = new Map<number, Round>()
    readonly #ensuredIDs = new Set<number>()
    readonly #alarm = new Alarm(() => this.wake())
    #firstTurn = 0
    #mayHaveJobs = false
    #mayHaveStrays = false
    #isClaiming = false
    #isStopped = false
    #contendedMs = FIRST_CONTENDED_MS

    constructor(params: {
        core: Core
        /** Claims up to `limit` jobs, by the lanes of these definitions. */
        claim: (definitions: readonly Visit[], limit: number) => Promise<LaneClaim>
        /** What to claim now, and how much of it. */
        wanted: () => Wanted
        host: ClaimHost
        onError: (activity: string, error: unknown) => void
    }) {
        this.#core = params.core
        this.#claimByLanes = params.claim
        this.#wanted = params.wanted
        this.#host = params.host
        this.#strays = new StrayJobs(params.core, params.onError)
    }

    get isClaiming(): boolean {
        return this.#isClaiming
    }

    /** There may be something to claim: claims as soon as there is room for it. */
    wake(): void {
        this.#mayHaveJobs = true
        this.claimMore()
    }

    /** The same, once a process interval: whatever happened that nobody was told of. */
    look(): void {
        this.#mayHaveStrays = true
        this.wake()
    }

    stop(): void {
        this.#isStopped = true
        this.#alarm.clear()
    }

    /** Claims what there is room for, unless there is nothing or a claim is under way already. */
    claimMore(): void {
        if (!this.#mayHaveJobs || this.#isClaiming || !this.#host.mayClaim()) return
        const wanted = this.#wanted()
        if (wanted.limit > 0) void this.#claim(wanted)
    }

    async #claim({ definitions, limit }: Wanted): Promise<void> {
        this.#isClaiming = true
        this.#mayHaveJobs = false
        try {
            await this.#prepare(definitions)
            const sentMs = monotonicMs()
            const claim = await this.#claimByLanes(this.#toAsk(definitions), limit)
            this.#isClaiming = false
            if (!this.#isStopped) this.#goOn(claim, claim.answeredAtMs - sentMs)
            this.#host.onClaimed(claim)
        } catch (error) {
            this.#isClaiming = false
            this.#mayHaveJobs = true
            this.#host.onFault("claim jobs of gated definitions", error)
        }
    }

    /** What a definition needs before its first claim, and jobs that were deferred without knowledge of its gate. */
    async #prepare(definitions: readonly KnownDefinition[]): Promise<void> {
        const { run, schema } = this.#core
        const newIDs = definitions
            .filter(({ id, definition }) => isHoldingBack(definition.gate) && !this.#ensuredIDs.has(id))
            .map(({ id }) => id)
        if (newIDs.length > 0) await ensureGates({ run, schema, definitionIDs: newIDs })
        for (const id of newIDs) this.#ensuredIDs.add(id)
        if (!this.#mayHaveStrays) return
        this.#mayHaveStrays = false
        await this.#strays.gather(definitions)
    }

    /** The definitions in the order of this claim: each is first in its turn. */
    #toAsk(definitions: readonly KnownDefinition[]): Visit[] {
        this.#firstTurn = (this.#firstTurn + 1) % definitions.length
        return [...definitions.slice(this.#firstTurn), ...definitions.slice(0, this.#firstTurn)].map(
            (known) => ({ ...known, afterLane: this.#roundOf(known.id).afterLane }),
        )
    }

    /** Decides when to claim again. */
    #goOn({ jobs, progress, isFull }: LaneClaim, tookMs: number): void {
        const fruitful = new Set(jobs.map(({ definitionID }) => definitionID))
        let isMidway = false
        for (const { definitionID, afterLane, hasMore, nextReleaseMs } of progress) {
            if (nextReleaseMs !== null) this.#alarm.setNoLaterThan(Math.max(nextReleaseMs, MIN_RELEASE_MS))
            const round = this.#roundOf(definitionID)
            if (fruitful.has(definitionID)) round.isLast = false
            const isOver = afterLane === "" && (round.isLast || round.afterLane === "")
            isMidway ||= !isOver
            this.#mayHaveJobs ||= hasMore
            round.isLast = !isOver && (round.isLast || afterLane === "")
            round.afterLane = afterLane
        }
        // As many as were asked for: there may be more, in these lanes or in others.
        if (isFull || (isMidway && jobs.length > 0)) this.#mayHaveJobs = true
        else if (isMidway) this.#alarm.setNoLaterThan(tookMs / EMPTY_SHARE)
        if (!progress.some(({ isContended }) => isContended)) this.#contendedMs = FIRST_CONTENDED_MS
        else this.#afterContention()
    }

    #afterContention(): void {
        this.#alarm.setNoLaterThan(this.#contendedMs * (1 + Math.random()))
        this.#contendedMs = Math.min(2 * this.#contendedMs, LAST_CONTENDED_MS)
    }

    #roundOf(definitionID: number): Round {
        let round = this.#rounds.get(definitionID)
        if (round === undefined) {
            round = { afterLane: "", isLast: false }
            this.#rounds.set(definitionID, round)
        }
        return round
    }
}
