import { describe, expect, it, vi } from "vitest"
import { type Snapshot, type SnapshotEvent, Snapshots } from "./snapshots.ts"

const goneOf = (error: unknown) => ({ code: "GONE", message: String(error) })

/** Snapshots that are made when they are told to be. */
function makeSnapshots() {
    const waiting: ((made?: Error) => void)[] = []
    const make = () =>
        new Promise<Snapshot>((resolve, reject) =>
            waiting.push((error) =>
                error === undefined ? resolve({ at: new Date() } as Snapshot) : reject(error),
            ),
        )
    const finish = async (error?: Error) => {
        waiting.shift()?.(error)
        await vi.advanceTimersByTimeAsync(0)
    }
    return { snapshots: new Snapshots({ make, goneOf }), waiting, finish }
}

describe("snapshots", () => {
    it("are made one at a time, two seconds after one another, while anybody listens", async () => {
        vi.useFakeTimers()
        try {
            const { snapshots, waiting, finish } = makeSnapshots()
            const events: SnapshotEvent[] = []
            const leave = snapshots.listen((event) => events.push(event))
            const leaveToo = snapshots.listen((event) => events.push(event))
            await vi.advanceTimersByTimeAsync(10_000)
            expect(waiting).toHaveLength(1)
            await finish()
            expect(events).toHaveLength(2)
            await vi.advanceTimersByTimeAsync(1_999)
            expect(waiting).toHaveLength(0)
            await vi.advanceTimersByTimeAsync(1)
            expect(waiting).toHaveLength(1)
            await finish(new Error("no"))
            expect(events.at(-1)).toEqual({ gone: { code: "GONE", message: "Error: no" } })
            leave()
            await vi.advanceTimersByTimeAsync(2_000)
            expect(waiting).toHaveLength(1)
            leaveToo()
            await finish()
            await vi.advanceTimersByTimeAsync(60_000)
            expect([waiting.length, events.length, snapshots.numListeners]).toEqual([0, 4, 0])
        } finally {
            vi.useRealTimers()
        }
    })

    it("are made once for all who ask within two seconds", async () => {
        vi.useFakeTimers()
        try {
            const { snapshots, waiting, finish } = makeSnapshots()
            const asked = [snapshots.latest(), snapshots.latest()]
            expect(waiting).toHaveLength(1)
            await finish()
            expect(await asked[0]).toBe(await asked[1])
            expect(await snapshots.latest()).toBe(await asked[0])
            await vi.advanceTimersByTimeAsync(2_000)
            const last = snapshots.latest()
            await finish()
            expect(await last).not.toBe(await asked[0])
        } finally {
            vi.useRealTimers()
        }
    })
})
