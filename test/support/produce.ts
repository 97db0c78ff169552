/** Calls `defer` until it is told to stop; the ids are those of the calls that were acknowledged. */
export function produce(defer: () => Promise<number>): { ids: number[]; stop(): Promise<void> } {
    const ids: number[] = []
    let isStopping = false
    const ended = (async () => {
        while (!isStopping) {
            const id = await defer().catch(() => undefined)
            if (id === undefined) await new Promise((resolve) => setTimeout(resolve, 20))
            else ids.push(id)
        }
    })()
    const stop = () => {
        isStopping = true
        return ended
    }
    return { ids, stop }
}
