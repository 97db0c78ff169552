import { describe, expect, it } from "vitest"
import type { ClaimedJob } from "../statements/claim-jobs.ts"
import { Lanes } from "./lanes.ts"

const DEFINITIONS = [1, 2, 3].map((definitionID) => ({ definitionID, leaseID: 10 * definitionID }))

function claimed(definitionID: number, position: number): ClaimedJob {
    return {
        id: position,
        token: 1,
        attempt: 1,
        numAttempts: 0,
        definitionID,
        position,
        leaseID: 10 * definitionID,
        hasDependents: false,
        timeoutMs: 1_000,
        payload: "{}",
    }
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
        lanes.advance([claimed(1, 5), claimed(2, 9), claimed(1, 7)])
        lanes.advance([claimed(1, 6)])
        expect(cursorsOf(lanes)).toEqual({ 1: 7, 2: 9, 3: 0 })
        expect(lanes.isFromStart).toBe(false)
    })

    it("goes back to the start when it is told", () => {
        const lanes = new Lanes()
        lanes.advance([claimed(1, 5)])
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
})
