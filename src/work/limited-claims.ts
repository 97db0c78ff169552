import { Alarm } from "../clock.ts"
import type { Claimer, ClaimHost } from "./claimer.ts"
import type { Lookout } from "./lookout.ts"
import type { RunPool } from "./run-pool.ts"

/** Takes the jobs of definitions with a `releaseIntervalMs` from the queue, each when it may be released. */
export class LimitedClaims {
    readonly #claimer: Claimer
    readonly #lookout: Lookout
    readonly #pool: RunPool
    readonly #processIntervalMs: number
    readonly #host: ClaimHost
    readonly #alarm = new Alarm(() => this.wake())
    #mayHaveJobs = false
    #isClaiming = false
    #isStopped = false
    #emptyReleaseMs = 0

    constructor(params: {
        claimer: Claimer
        lookout: Lookout
        pool: RunPool
        processIntervalMs: number
        host: ClaimHost
    }) {
        this.#claimer = params.claimer
        this.#lookout = params.lookout
        this.#pool = params.pool
        this.#processIntervalMs = params.processIntervalMs
        this.#host = params.host
    }

    get isClaiming(): boolean {
        return this.#isClaiming
    }

    /** A job may be released now: claims it when there is room. */
    wake(): void {
        this.#mayHaveJobs = true
        this.claimMore()
    }

    /** A job may be released in so many milliseconds. */
    wakeWithin(ms: number): void {
        // Of a claim that was under way when the worker stopped, nothing is left that keeps the process from ending.
        if (!this.#isStopped) this.#alarm.setNoLaterThan(Math.max(ms, this.#emptyReleaseMs))
    }

    stop(): void {
        this.#isStopped = true
        this.#alarm.clear()
    }

    /** Claims what may be released, unless a claim is under way already. */
    claimMore(): void {
        if (this.#mayHaveJobs) void this.#claim()
    }

    async #claim(): Promise<void> {
        const limited = this.#pool.startable(this.#lookout.limited)
        // Where jobs are claimed ahead they are short, so a slot will be free in a moment.
        const hasRoom = this.#pool.numFree > 0 || this.#pool.numAhead > 0
        if (!this.#host.mayClaim() || this.#isClaiming || limited.length === 0 || !hasRoom) return
        this.#isClaiming = true
        this.#mayHaveJobs = false
        try {
            const asked = Math.max(1, this.#pool.numFree)
            const claim = await this.#claimer.claimLimited(limited, asked)
            this.#isClaiming = false
            // As many as were asked for: other definitions may have a job to release as well.
            this.#mayHaveJobs ||= claim.jobs.length === asked
            if (claim.jobs.length > 0) this.#emptyReleaseMs = 0
            else this.#afterEmptyRelease()
            for (const job of claim.jobs) {
                const definition = limited.find(({ id }) => id === job.definitionID)?.definition
                this.wakeWithin(definition?.releaseIntervalMs ?? 0)
            }
            this.#host.onClaimed(claim)
        } catch (error) {
            this.#isClaiming = false
            this.#mayHaveJobs = true
            this.#host.onFault("claim rate-limited jobs", error)
        }
    }

    /** Another worker was faster, or holds the job locked: look when the next one may be released. */
    #afterEmptyRelease(): void {
        this.#emptyReleaseMs = Math.min(Math.max(1, this.#emptyReleaseMs * 2), this.#processIntervalMs)
        this.#lookout.look()
    }
}
