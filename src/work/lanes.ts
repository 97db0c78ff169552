import type { ClaimedJob, Lane } from "../statements/claim-jobs.ts"

/** Until now every job has this priority. */
const DEFAULT_PRIORITY = 0

/** Cursors go back to the start at most this often, and so seldom that it takes a twentieth of the time. */
const MIN_REWIND_MS = 100
const REWIND_COST_FACTOR = 20

/** A definition, and the lease to claim its jobs under. */
interface LeasedDefinition {
    readonly definitionID: number
    readonly leaseID: number
}

/**
 * Where in each definition's lane the next claim starts. Positions that were claimed are skipped, so a claim does
 * not walk over the remains of old ones; a job that was committed late, below the cursor, is found when the cursors
 * go back to the start.
 */
export class Lanes {
    readonly #cursors = new Map<number, number>()
    #firstTurn = 0
    #rewoundAtMs = Number.NEGATIVE_INFINITY
    #rewindCostMs = 0
    #isFromStart = true

    /** The lanes in the order of the next claim: each definition is first in its turn, so none starves another. */
    next(definitions: readonly LeasedDefinition[]): Lane[] {
        this.#firstTurn = definitions.length === 0 ? 0 : (this.#firstTurn + 1) % definitions.length
        return this.all([...definitions.slice(this.#firstTurn), ...definitions.slice(0, this.#firstTurn)])
    }

    /** The lanes in the order of the definitions: for looking, which takes no turn. */
    all(definitions: readonly LeasedDefinition[]): Lane[] {
        return definitions.map(({ definitionID, leaseID }) => ({
            definitionID,
            leaseID,
            priority: DEFAULT_PRIORITY,
            cursor: this.#cursors.get(definitionID) ?? 0,
        }))
    }

    /** Moves the cursors past what a claim returned. */
    advance(jobs: readonly ClaimedJob[]): void {
        for (const { definitionID, position } of jobs) {
            if (position > (this.#cursors.get(definitionID) ?? 0)) this.#cursors.set(definitionID, position)
        }
        if (jobs.length > 0) this.#isFromStart = false
    }

    /** What a claim from the start took, which is what the next rewind will cost. */
    measured(durationMs: number): void {
        this.#rewindCostMs = durationMs
    }

    /** Whether the next claim starts at the very beginning of every lane. */
    get isFromStart(): boolean {
        return this.#isFromStart
    }

    /** Milliseconds until the cursors may go back. */
    rewindInMs(nowMs: number): number {
        const everyMs = Math.max(MIN_REWIND_MS, this.#rewindCostMs * REWIND_COST_FACTOR)
        return Math.max(0, this.#rewoundAtMs + everyMs - nowMs)
    }

    /** Takes every cursor back to the start. */
    rewind(nowMs: number): void {
        this.#cursors.clear()
        this.#isFromStart = true
        this.#rewoundAtMs = nowMs
    }
}
