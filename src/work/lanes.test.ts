import { describe, expect, it } from "vitest"
import type { ClaimedJob } from "../statements/claim-jobs.ts"
import { Lanes } from "./lanes.ts"

const DEFINITIONS = [1, 2, 3].map((definitionID) => ({ definitionID, leaseID: 10 * definitionID }))

function claimed(definitionID: number, position: number, priority = 0): ClaimedJob {
    return {
        id: position,
        token: 1,
        attempt: 1,
        numAttempts: 0,
        definitionID,
        priority,
        position,
        leaseID: 10 * definitionID,
        hasDependents: false,
        timeoutMs: 1_000,
        dueAtMs: 0,
        waitMs: 0,
        payload: "{}",
        attemptTimeoutMs: null,
    }
}

/** What a claim that was under way since `numRewinds` brings. */
function advance(lanes: Lanes, jobs: readonly ClaimedJob[], numRewinds = lanes.numRewinds): void {
    lanes.advance({ jobs, numRewinds })
}

function cursorsOf(lanes: Lanes): Record<number, number> {
    return Object.fromEntries(lanes.next(DEFINITIONS).map((lane) => [lane.definitionID, lane.cursor]))
}

describe("Lanes", () => {
    it("puts each definition first in its turn", () => {
        const lanes = new Lanes()
        const firsts = Array.from({ length: 6 }, () => lanes.next(DEFINITIONS)[0]?.definitionID)
        expect(new Set(firsts.slice(0, 3))).toEqual(new Set([1, 2, 3]))
        expect(firsts.slice(3)).toEqual(firsts.slice(0, 3))
    })

    it("has a lane for every definition, with its own lease", () => {
        const lanes = new Lanes()
        const byDefinition = lanes.next(DEFINITIONS).sort((a, b) => a.definitionID - b.definitionID)
        expect(byDefinition.map(({ definitionID, leaseID }) => ({ definitionID, leaseID }))).toEqual(
            DEFINITIONS,
        )
        expect(lanes.next([])).toEqual([])
    })

    it("starts each lane after the last position claimed in it", () => {
        const lanes = new Lanes()
        expect(lanes.isFromStart).toBe(true)
        advance(lanes, [claimed(1, 5), claimed(2, 9), claimed(1, 7)])
        advance(lanes, [claimed(1, 6)])
        expect(cursorsOf(lanes)).toEqual({ 1: 7, 2: 9, 3: 0 })
        expect(lanes.isFromStart).toBe(false)
    })

    it("goes back to the start when it is told", () => {
        const lanes = new Lanes()
        advance(lanes, [claimed(1, 5)])
        lanes.rewind(0)
        expect(cursorsOf(lanes)).toEqual({ 1: 0, 2: 0, 3: 0 })
        expect(lanes.isFromStart).toBe(true)
    })

    it("may go back at once at first, then ten times a second, and more seldom the more it costs", () => {
        const lanes = new Lanes()
        expect(lanes.rewindInMs(0)).toBe(0)
        lanes.rewind(1_000)
        expect(lanes.rewindInMs(1_000)).toBe(100)
        expect(lanes.rewindInMs(1_070)).toBe(30)
        expect(lanes.rewindInMs(1_100)).toBe(0)
        lanes.measured(50)
        expect(lanes.rewindInMs(1_100)).toBe(900)
    })

    it("has the lanes of other priorities that were claimed from, each with its own cursor", () => {
        const lanes = new Lanes()
        advance(lanes, [claimed(1, 5, -3), claimed(2, 9, -3), claimed(2, 4)])
        const others = lanes.all(DEFINITIONS).filter(({ priority }) => priority !== 0)
        expect(others).toEqual([
            { definitionID: 1, leaseID: 10, priority: -3, cursor: 5 },
            { definitionID: 2, leaseID: 20, priority: -3, cursor: 9 },
        ])
        expect(lanes.all(DEFINITIONS.slice(1)).filter(({ priority }) => priority !== 0)).toHaveLength(1)
    })

    it("does not let a claim that began before the cursors went back move them", () => {
        const lanes = new Lanes()
        const before = lanes.numRewinds
        lanes.rewind(0)
        advance(lanes, [claimed(1, 5)], before)
        expect(cursorsOf(lanes)).toEqual({ 1: 0, 2: 0, 3: 0 })
        expect(lanes.isFromStart).toBe(true)
    })

    it("does not walk again through what a claim from the start has found empty", () => {
        const lanes = new Lanes()
        const cursors = () => lanes.all(DEFINITIONS).flatMap(({ cursor }) => (cursor === 0 ? [] : [cursor]))
        advance(lanes, [claimed(1, 5, -1), claimed(1, 6), claimed(1, 7, 2)])
        lanes.rewind(0)
        expect(cursors()).toEqual([])
        // Those of smaller priority are gone, others may still be there.
        advance(lanes, [claimed(2, 8)])
        expect(cursors().sort()).toEqual([5, 8])
        advance(lanes, [])
        expect(cursors().sort()).toEqual([5, 8])
        advance(lanes, [claimed(2, 9, 1)])
        expect(cursors().sort()).toEqual([5, 6, 8, 9])
    })

    it("takes what was claimed a second before the cursors go back for settled, and no more", () => {
        const lanes = new Lanes()
        lanes.rewind(0)
        advance(lanes, [claimed(1, 5)])
        lanes.rewind(1_000)
        expect(lanes.settledPosition).toBe(0)
        advance(lanes, [claimed(1, 9)])
        lanes.rewind(1_999)
        expect(lanes.settledPosition).toBe(0)
        lanes.rewind(2_000)
        expect(lanes.settledPosition).toBe(5)
    })
})
