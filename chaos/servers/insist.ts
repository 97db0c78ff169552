/** How long a server that goes down and up again is waited for. */
const INSIST_MS = 30_000
const AGAIN_MS = 200

/** Undoes something for sure, though the server may be down at the moment. */
export async function insist<T>(work: () => Promise<T>): Promise<T> {
    const untilMs = performance.now() + INSIST_MS
    for (;;) {
        try {
            return await work()
        } catch (error) {
            if (performance.now() > untilMs) throw error
            await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
        }
    }
}
