/** How long something may go on: for a time, and until somebody interrupts it. */
export class Limit {
    readonly #endMs: number
    readonly #signal: AbortSignal

    constructor(params: { ms: number; signal: AbortSignal }) {
        this.#endMs = performance.now() + params.ms
        this.#signal = params.signal
    }

    /** Whether it is to end. */
    get isOver(): boolean {
        return this.#signal.aborted || performance.now() >= this.#endMs
    }

    /** Waits for something, no longer than that, and says whether it came. What fails before then throws. */
    async isInTime(awaited: Promise<unknown>): Promise<boolean> {
        let end: () => void = () => undefined
        const isOver = new Promise<boolean>((resolve) => {
            end = () => resolve(false)
        })
        const timer = setTimeout(end, Math.max(0, this.#endMs - performance.now()))
        this.#signal.addEventListener("abort", end)
        if (this.#signal.aborted) end()
        try {
            return await Promise.race([awaited.then(() => true), isOver])
        } finally {
            clearTimeout(timer)
            this.#signal.removeEventListener("abort", end)
        }
    }
}
