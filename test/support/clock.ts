import { onTestFinished, vi } from "vitest"

/** Lets the process believe, until the test ends, that more time has passed since its start. Timers do not hear of it. */
export function shiftedClock(): { shift(ms: number): void } {
    const now = performance.now.bind(performance)
    let shiftMs = 0
    const spy = vi.spyOn(performance, "now").mockImplementation(() => now() + shiftMs)
    onTestFinished(() => spy.mockRestore())
    return {
        shift: (ms) => {
            shiftMs += ms
        },
    }
}
