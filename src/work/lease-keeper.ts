import { Alarm, monotonicMs } from "../clock.ts"
import type { Core } from "../config.ts"
import { endLeases, moveJobs, openLease, renewLeases } from "../statements/leases.ts"
import type { ClaimKey } from "../statements/query.ts"
import { returnLostClaims } from "../statements/return-jobs.ts"
import { Standby } from "./standby.ts"

/** A job that is held under a lease. */
export interface HeldJob extends ClaimKey {
    /** Called once if the lease is lost while the job is held. */
    onLeaseLost(): void
}

interface Lease {
    readonly id: number
    readonly intervalMs: number
    /** By our own monotonic clock, never later than the database's idea of it. The standby may know a later one. */
    deadlineMs: number
    readonly jobs: Set<HeldJob>
    /** A claim under it may have got jobs that we do not know of. */
    isAbandoned: boolean
    /** It takes no more jobs. */
    isEnding: boolean
}

/** A lease is renewed three times within its length. */
const RENEWALS = 3

/** How long the answer to a renewal may take, however soon or late the lease lapses. */
const MIN_ANSWER_MS = 1_000
const MAX_ANSWER_MS = 10_000

/** Jobs may hang on an abandoned lease that nobody runs, so it is ended as soon as the database answers. */
const ABANDONED_RETRY_MS = 200

/**
 * Holds a worker's leases: one for each length that its definitions ask for, however many jobs it runs. Renews them
 * while the worker lives, and tells the jobs of a lease that is lost.
 */
export class LeaseKeeper {
    readonly #core: Core
    readonly #worker: string
    readonly #onError: (activity: string, error: unknown) => void
    readonly #current = new Map<number, Lease>()
    readonly #leases = new Map<number, Lease>()
    /** Every job whose outcome is not recorded, also those whose lease was lost. */
    readonly #known = new Set<HeldJob>()
    readonly #opening = new Map<number, Promise<number>>()
    readonly #alarm = new Alarm(() => void this.#renew())
    readonly #standby: Standby
    #renewing: Promise<void> | undefined
    #isClosed = false
    /** Jobs came since the last renewal. */
    #hasHeld = false

    constructor(params: { core: Core; worker: string; onError: (activity: string, error: unknown) => void }) {
        this.#core = params.core
        this.#worker = params.worker
        this.#onError = params.onError
        this.#standby = new Standby(params.core)
    }

    /** Whether leases are renewed though the event loop is blocked. */
    get hasStandby(): boolean {
        return this.#standby.isReady
    }

    /** Those that jobs of ours may be under. */
    get leaseIDs(): number[] {
        return [...this.#leases.keys()]
    }

    /** The lease for claims of a given length; opens one if there is none. */
    async leaseFor(intervalMs: number): Promise<number> {
        const known = this.#current.get(intervalMs)
        // One that is about to lapse is renewed before it is claimed under.
        if (known !== undefined && monotonicMs() >= this.#deadlineMs(known) - intervalMs / 2)
            await this.#renew()
        return this.#currentID(intervalMs)
    }

    /** Begins to hold a job that was claimed under a lease. Returns false when that lease is lost already. */
    hold(leaseID: number, job: HeldJob): boolean {
        const lease = this.#leases.get(leaseID)
        if (lease === undefined || lease.isEnding) return false
        lease.jobs.add(job)
        this.#known.add(job)
        if (!this.#hasHeld) {
            this.#hasHeld = true
            this.#standby.begin(this.#leases.values())
        }
        return true
    }

    /** Whether a job is held under a lease that has not lapsed. */
    isHeld(leaseID: number, job: HeldJob): boolean {
        const lease = this.#leaseOf(leaseID, job)
        return lease !== undefined && this.#deadlineMs(lease) > monotonicMs()
    }

    /** Ceases to hold a job. */
    drop(leaseID: number, job: HeldJob): void {
        this.#known.delete(job)
        this.#leaseOf(leaseID, job)?.jobs.delete(job)
    }

    /**
     * After a claim whose answer was lost: it may have given us jobs that we do not know of, under leases that we
     * would renew for ever. What we hold moves to new leases; the rest never started here, so it goes back to the
     * queue uncharged, and the old leases end.
     */
    abandon(): void {
        for (const lease of this.#current.values()) lease.isAbandoned = true
        this.#current.clear()
        if (!this.#isClosed) this.#alarm.set(0)
    }

    /** Ends all leases. */
    async close(): Promise<void> {
        this.#isClosed = true
        this.#alarm.clear()
        const leases = [...this.#leases.values()]
        this.#standby.end(leases)
        this.#leases.clear()
        this.#current.clear()
        for (const { id, isAbandoned } of leases) if (isAbandoned) await this.#returnLost(id)
        const { run, schema } = this.#core
        if (leases.length > 0) await endLeases({ run, schema, ids: leases.map(({ id }) => id) })
    }

    /** One lease of a length is current, whoever asks: a claim under another could not be abandoned. */
    async #currentID(intervalMs: number): Promise<number> {
        const lease = this.#current.get(intervalMs)
        if (lease !== undefined) return lease.id
        let opening = this.#opening.get(intervalMs)
        if (opening === undefined) {
            opening = this.#open(intervalMs).finally(() => this.#opening.delete(intervalMs))
            this.#opening.set(intervalMs, opening)
        }
        return opening
    }

    async #open(intervalMs: number): Promise<number> {
        const { run, schema } = this.#core
        const sentMs = monotonicMs()
        const id = await openLease({ run, schema, worker: this.#worker, intervalMs })
        const lease = {
            id,
            intervalMs,
            deadlineMs: sentMs + intervalMs,
            jobs: new Set<HeldJob>(),
            isAbandoned: false,
            isEnding: false,
        }
        this.#current.set(intervalMs, lease)
        this.#leases.set(id, lease)
        this.#standby.watch(lease)
        this.#schedule()
        return id
    }

    /** The lease that a job is held under: the one it was claimed under, unless it was moved. */
    #leaseOf(leaseID: number, job: HeldJob): Lease | undefined {
        const lease = this.#leases.get(leaseID)
        if (lease?.jobs.has(job)) return lease
        for (const other of this.#leases.values()) if (other.jobs.has(job)) return other
        return undefined
    }

    async #move(lease: Lease): Promise<void> {
        const { run, schema } = this.#core
        // A claim that was under way may bring more while we move what we know of.
        while (lease.jobs.size > 0) {
            const jobs = [...lease.jobs]
            const leaseID = await this.#currentID(lease.intervalMs)
            const lockedIDs = new Set(await moveJobs({ run, schema, jobs, leaseID }))
            for (const job of jobs) {
                if (!lockedIDs.has(job.id) && lease.jobs.delete(job)) this.#leases.get(leaseID)?.jobs.add(job)
            }
            // Whoever holds them locked will end. Until then the lease is renewed, and this is tried again.
            if (lockedIDs.size > 0) return
        }
        lease.isEnding = true
        if ((await this.#returnLost(lease.id)).length > 0) return
        await endLeases({ run, schema, ids: [lease.id] })
        this.#lose(lease)
    }

    #returnLost(leaseID: number): Promise<number[]> {
        const { run, schema } = this.#core
        return returnLostClaims({ run, schema, leaseID, known: [...this.#known] })
    }

    /** Once at a time: a claim may ask for it while the alarm's is under way. */
    #renew(): Promise<void> {
        this.#renewing ??= this.#renewAll().finally(() => {
            this.#renewing = undefined
        })
        return this.#renewing
    }

    async #renewAll(): Promise<void> {
        const asked = [...this.#leases.values()]
        const sentMs = monotonicMs()
        // No longer than until a lease lapses: then its jobs must be told, whether or not there is an answer.
        const leftMs = Math.min(...asked.map((lease) => this.#deadlineMs(lease))) - sentMs
        const answerMs = Math.min(Math.max(leftMs, MIN_ANSWER_MS), MAX_ANSWER_MS)
        try {
            const { database, schema } = this.#core
            const run = database.runWithin(answerMs)
            const renewed = new Set(await renewLeases({ run, schema, ids: asked.map((lease) => lease.id) }))
            for (const lease of asked) {
                if (renewed.has(lease.id)) this.#extend(lease, sentMs + lease.intervalMs)
                else this.#lose(lease)
            }
            for (const lease of asked)
                if (lease.isAbandoned && this.#leases.has(lease.id)) await this.#move(lease)
        } catch (error) {
            this.#onError("renew leases", error)
            // Past its deadline a lease may be someone else's, whether or not we could be told.
            for (const lease of asked) if (monotonicMs() >= this.#deadlineMs(lease)) this.#lose(lease)
        }
        if (!this.#hasHeld && asked.every((lease) => lease.jobs.size === 0)) this.#standby.end(asked)
        this.#hasHeld = false
        this.#schedule()
    }

    #extend(lease: Lease, deadlineMs: number): void {
        lease.deadlineMs = deadlineMs
        this.#standby.watch(lease)
    }

    #deadlineMs(lease: Lease): number {
        if (lease.deadlineMs <= monotonicMs()) lease.deadlineMs = this.#standby.deadlineMs(lease)
        return lease.deadlineMs
    }

    #lose(lease: Lease): void {
        if (!this.#leases.delete(lease.id)) return
        this.#standby.forget(lease)
        if (this.#current.get(lease.intervalMs) === lease) this.#current.delete(lease.intervalMs)
        for (const job of lease.jobs) job.onLeaseLost()
        lease.jobs.clear()
    }

    #schedule(): void {
        if (this.#isClosed || this.#leases.size === 0) return this.#alarm.clear()
        const now = monotonicMs()
        let inMs = Number.POSITIVE_INFINITY
        for (const lease of this.#leases.values()) {
            const renewAtMs = lease.deadlineMs - lease.intervalMs * (1 - 1 / RENEWALS)
            // After a failure: soon again, but no later than the deadline.
            const overdueMs = Math.min(lease.intervalMs / (4 * RENEWALS), Math.max(0, lease.deadlineMs - now))
            if (lease.isAbandoned) inMs = Math.min(inMs, overdueMs, ABANDONED_RETRY_MS)
            else inMs = Math.min(inMs, renewAtMs > now ? renewAtMs - now : overdueMs)
        }
        this.#alarm.set(inMs)
    }
}
