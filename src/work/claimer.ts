import { monotonicMs } from "../clock.ts"
import type { Core } from "../config.ts"
import { wasRefused, wasTooLong } from "../db/failure.ts"
import type { RegisteredJob } from "../registry.ts"
import { claimGatedJobs } from "../statements/claim-gated-jobs.ts"
import { claimGroupedJobs } from "../statements/claim-grouped-jobs.ts"
import { type ClaimedJob, claimJobs } from "../statements/claim-jobs.ts"
import { claimLimitedJobs } from "../statements/claim-limited-jobs.ts"
import type { ClaimedLanes, VisitedDefinition } from "../statements/lane-claims.ts"
import type { Query } from "../statements/query.ts"
import { Lanes } from "./lanes.ts"
import type { LeaseKeeper } from "./lease-keeper.ts"

/** A definition that the worker runs, as the database knows it. */
export interface KnownDefinition {
    readonly id: number
    readonly definition: RegisteredJob
}

/** What a claim brought. */
export interface Claim {
    jobs: ClaimedJob[]
    /** When the answer came, by the monotonic clock: no earlier than the claim, so that no job times out early. */
    answeredAtMs: number
}

/** What a claim that goes by lanes brought, and how far it has come with each definition. */
export interface LaneClaim extends Claim, ClaimedLanes {
    /** It brought as many as were asked for. */
    isFull: boolean
}

/** A definition whose lanes a claim goes through, those after the one that it saw last. */
export interface Visit extends KnownDefinition {
    readonly afterLane: string
}

/** Under which lease jobs of a definition are claimed. */
type Leased = Omit<VisitedDefinition, "afterLane">

/** The worker that jobs are claimed for. */
export interface ClaimHost {
    /** Whether it would take any. */
    readonly mayClaim: () => boolean
    readonly onClaimed: (claim: Claim) => void
    readonly onFault: (activity: string, error: unknown) => void
}

/** The most that one statement claims; halved when the server gives it up as too long. */
const MAX_CLAIM = 1_000

/** A claim goes through so many lanes more than it wants jobs, in case that some are full. */
const MIN_LANES = 100
const LANES_A_JOB = 4

/** Takes jobs from the queue: those of definitions without a rate limit in bulk, the others one by one. */
export class Claimer {
    readonly #core: Core
    readonly #leases: LeaseKeeper
    readonly lanes = new Lanes()
    #maxClaim = MAX_CLAIM

    constructor(params: { core: Core; leases: LeaseKeeper }) {
        this.#core = params.core
        this.#leases = params.leases
    }

    /** Claims up to `limit` jobs of the definitions that have no rate limit; tells whether nothing more stood ready. */
    async claim(
        definitions: readonly KnownDefinition[],
        limit: number,
    ): Promise<Claim & { isDrained: boolean }> {
        const leased = await this.#withLeases(definitions)
        const { isFromStart, numRewinds, settledPosition } = this.lanes
        const asked = Math.min(limit, this.#maxClaim)
        const sentMs = monotonicMs()
        const { run, schema } = this.#core
        const jobs = await this.#certainly(() =>
            claimJobs({ run, schema, lanes: this.lanes.next(leased), settledPosition, limit: asked }),
        )
        const answeredAtMs = monotonicMs()
        if (isFromStart) this.lanes.measured(answeredAtMs - sentMs)
        this.lanes.advance({ jobs, numRewinds })
        if (jobs.length === asked) this.#maxClaim = Math.min(2 * this.#maxClaim, MAX_CLAIM)
        return { jobs, answeredAtMs, isDrained: jobs.length < asked && this.#isAtEnd(isFromStart) }
    }

    /** Claims what the rate limits allow now, at most one job of each definition. */
    async claimLimited(definitions: readonly KnownDefinition[], limit: number): Promise<Claim> {
        const leased = await this.#withLeases(definitions)
        const { run, schema } = this.#core
        const jobs = await this.#certainly(() =>
            claimLimitedJobs({ run, schema, definitions: leased, limit }),
        )
        return { jobs, answeredAtMs: monotonicMs() }
    }

    /** Claims up to `limit` jobs that gates let through, and tells how far it has come with each definition. */
    async claimGated(definitions: readonly Visit[], limit: number): Promise<LaneClaim> {
        return this.#claimByLanes(definitions, limit, (leased, request) => {
            const gated = definitions.map(({ definition: { gate } }, index) => ({
                ...(leased[index] as VisitedDefinition),
                concurrency: gate?.concurrency ?? null,
                rate: gate?.rate ?? null,
                isOrdered: gate?.isOrdered ?? false,
            }))
            return claimGatedJobs({ ...request, definitions: gated })
        })
    }

    /** The same of definitions whose jobs take turns, and are held back by nothing else. */
    async claimGrouped(definitions: readonly Visit[], limit: number): Promise<LaneClaim> {
        return this.#claimByLanes(definitions, limit, (leased, request) =>
            claimGroupedJobs({ ...request, definitions: leased }),
        )
    }

    async #claimByLanes(
        definitions: readonly Visit[],
        limit: number,
        claim: (
            leased: readonly VisitedDefinition[],
            request: Query & { limit: number; maxLanes: number },
        ) => Promise<ClaimedLanes>,
    ): Promise<LaneClaim> {
        const leases = await this.#withLeases(definitions)
        const leased = definitions.map(({ afterLane }, index) => ({
            ...(leases[index] as Leased),
            afterLane,
        }))
        const asked = Math.min(limit, this.#maxClaim)
        const { run, schema } = this.#core
        const request = { run, schema, limit: asked, maxLanes: MIN_LANES + LANES_A_JOB * asked }
        const { jobs, progress } = await this.#certainly(() => claim(leased, request))
        const isFull = jobs.length === asked
        if (isFull) this.#maxClaim = Math.min(2 * this.#maxClaim, MAX_CLAIM)
        return { jobs, progress, isFull, answeredAtMs: monotonicMs() }
    }

    /** A claim that came up short has seen everything only if it looked from the start. */
    #isAtEnd(wasFromStart: boolean): boolean {
        if (wasFromStart || this.lanes.rewindInMs(monotonicMs()) > 0) return true
        this.lanes.rewind(monotonicMs())
        return false
    }

    async #withLeases(definitions: readonly KnownDefinition[]): Promise<Leased[]> {
        const leases = new Map<number, number>()
        for (const { definition } of definitions) {
            const { lockIntervalMs } = definition
            if (!leases.has(lockIntervalMs))
                leases.set(lockIntervalMs, await this.#leases.leaseFor(lockIntervalMs))
        }
        return definitions.map(({ id, definition }) => ({
            definitionID: id,
            leaseID: leases.get(definition.lockIntervalMs) as number,
        }))
    }

    /** When the answer to a claim is lost, it may have claimed all the same: then its leases are given up. */
    async #certainly<T>(claim: () => Promise<T>): Promise<T> {
        try {
            return await claim()
        } catch (error) {
            if (wasTooLong(error)) this.#maxClaim = Math.max(1, Math.floor(this.#maxClaim / 2))
            if (!wasRefused(error)) this.#leases.abandon()
            throw error
        }
    }
}
