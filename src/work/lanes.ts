import type { ClaimedJob, Lane } from "../statements/claim-jobs.ts"

/** Cursors go back to the start at most this often, and so seldom that it takes a twentieth of the time. */
const MIN_REWIND_MS = 100
const REWIND_COST_FACTOR = 20

/** A job that is committed within this time after it got its position is not overlooked for one of larger priority. */
const LATE_MS = 1_000

/** A definition, and the lease to claim its jobs under. */
interface LeasedDefinition {
    readonly definitionID: number
    readonly leaseID: number
}

/** The cursors of lanes, by priority and definition. */
type Cursors = Map<number, Map<number, number>>

/**
 * Where in each lane the next claim starts. Positions that were claimed are skipped, so a claim does not walk over the
 * remains of old ones; a job that was committed late, below the cursor, is found when the cursors go back to the start.
 * Which lanes there are, the database knows: a lane without a cursor here is claimed from its start.
 */
export class Lanes {
    #cursors: Cursors = new Map()
    /** The cursors before they went back, until a claim has looked from the start of their lanes. */
    #formerCursors: Cursors = new Map()
    #firstTurn = 0
    #rewoundAtMs = Number.NEGATIVE_INFINITY
    #rewindCostMs = 0
    #numRewinds = 0
    #isFromStart = true
    #lastPosition = 0
    #settledPosition = 0
    #settling = { position: 0, atMs: Number.NEGATIVE_INFINITY }

    /** The lanes in the order of the next claim: each definition is first in its turn, so none starves another. */
    next(definitions: readonly LeasedDefinition[]): Lane[] {
        this.#firstTurn = definitions.length === 0 ? 0 : (this.#firstTurn + 1) % definitions.length
        return this.all([...definitions.slice(this.#firstTurn), ...definitions.slice(0, this.#firstTurn)])
    }

    /** The lanes in the order of the definitions: for looking, which takes no turn. */
    all(definitions: readonly LeasedDefinition[]): Lane[] {
        const plain = this.#cursors.get(0)
        const lanes = definitions.map(({ definitionID, leaseID }) => ({
            definitionID,
            leaseID,
            priority: 0,
            cursor: plain?.get(definitionID) ?? 0,
        }))
        for (const [priority, cursors] of this.#cursors) {
            if (priority === 0) continue
            for (const { definitionID, leaseID } of definitions) {
                const cursor = cursors.get(definitionID)
                if (cursor !== undefined) lanes.push({ definitionID, leaseID, priority, cursor })
            }
        }
        return lanes
    }

    /**
     * Moves the cursors past what a claim returned. One that began before they went back the last time says nothing about
     * where the next one may start.
     */
    advance({ jobs, numRewinds }: { jobs: readonly ClaimedJob[]; numRewinds: number }): void {
        for (const { position } of jobs) if (position > this.#lastPosition) this.#lastPosition = position
        if (numRewinds !== this.#numRewinds) return
        for (const { priority } of jobs.slice(-1)) this.#restore(priority)
        for (const { definitionID, priority, position } of jobs)
            advanceTo(cursorsAt(this.#cursors, priority), definitionID, position)
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

    /** How often the cursors went back. */
    get numRewinds(): number {
        return this.#numRewinds
    }

    /**
     * All that was committed in time up to this position, a claim from the start has seen. What is committed in time later
     * may stand behind a cursor, but not before this position.
     */
    get settledPosition(): number {
        return this.#settledPosition
    }

    /** Milliseconds until the cursors may go back. */
    rewindInMs(nowMs: number): number {
        const everyMs = Math.max(MIN_REWIND_MS, this.#rewindCostMs * REWIND_COST_FACTOR)
        return Math.max(0, this.#rewoundAtMs + everyMs - nowMs)
    }

    /** Takes every cursor back to the start. */
    rewind(nowMs: number): void {
        for (const [priority, cursors] of this.#cursors)
            for (const [id, cursor] of cursors)
                advanceTo(cursorsAt(this.#formerCursors, priority), id, cursor)
        this.#cursors = new Map()
        this.#isFromStart = true
        this.#numRewinds++
        this.#rewoundAtMs = nowMs
        if (nowMs - this.#settling.atMs < LATE_MS) return
        this.#settledPosition = this.#settling.position
        this.#settling = { position: this.#lastPosition, atMs: nowMs }
    }

    /** Lanes of smaller priority than a job's that was claimed are empty: the next claim need not walk through them. */
    #restore(priority: number): void {
        for (const [former, cursors] of this.#formerCursors) {
            if (former >= priority) continue
            this.#formerCursors.delete(former)
            for (const [id, cursor] of cursors) advanceTo(cursorsAt(this.#cursors, former), id, cursor)
        }
    }
}

function cursorsAt(cursors: Cursors, priority: number): Map<number, number> {
    const known = cursors.get(priority)
    if (known !== undefined) return known
    const made = new Map<number, number>()
    cursors.set(priority, made)
    return made
}

function advanceTo(cursors: Map<number, number>, definitionID: number, position: number): void {
    if (position > (cursors.get(definitionID) ?? 0)) cursors.set(definitionID, position)
}
