import type { Claimer, ClaimHost } from "./claimer.ts"
import { GatedClaims } from "./gated-claims.ts"
import { LimitedClaims } from "./limited-claims.ts"
import type { Lookout } from "./lookout.ts"
import type { RunPool } from "./run-pool.ts"
import type { WorkerSettings } from "./settings.ts"

/** The claims of all definitions that are not plain, each kind with what it knows of itself. */
export class OtherClaims {
    readonly #limited: LimitedClaims
    readonly #gated: GatedClaims
    readonly #grouped: GatedClaims

    constructor(params: {
        settings: WorkerSettings
        claimer: Claimer
        lookout: Lookout
        pool: RunPool
        host: ClaimHost
        onError: (activity: string, error: unknown) => void
    }) {
        const { settings, claimer, lookout, pool } = params
        this.#limited = new LimitedClaims({ ...params, processIntervalMs: settings.processIntervalMs })
        this.#gated = new GatedClaims({
            ...params,
            core: settings.core,
            claim: (definitions, limit) => claimer.claimGated(definitions, limit),
            wanted: () => pool.wantedOfGated(lookout.gated),
        })
        // Where jobs only take turns, one that is claimed ahead holds no place that another worker could use.
        this.#grouped = new GatedClaims({
            ...params,
            core: settings.core,
            claim: (definitions, limit) => claimer.claimGrouped(definitions, limit),
            wanted: () => pool.wanted(lookout.grouped),
        })
    }

    get isClaiming(): boolean {
        return this.#limited.isClaiming || this.#gated.isClaiming || this.#grouped.isClaiming
    }

    /** There may be jobs of any kind. */
    wake(): void {
        this.#limited.wake()
        this.wakeGated()
    }

    /** There may be jobs of gated definitions. */
    wakeGated(): void {
        this.#gated.wake()
        this.#grouped.wake()
    }

    /** A job of a definition with a `releaseIntervalMs` may be released in so many milliseconds. */
    releaseWithin(ms: number): void {
        this.#limited.wakeWithin(ms)
    }

    /** Once a process interval. */
    look(): void {
        this.#gated.look()
        this.#grouped.look()
    }

    claimMore(): void {
        this.#limited.claimMore()
        this.#gated.claimMore()
        this.#grouped.claimMore()
    }

    stop(): void {
        this.#limited.stop()
        this.#gated.stop()
        this.#grouped.stop()
    }
}
