/** A promise that a test opens: what a handler waits for. */
export interface Gate {
    readonly opened: Promise<void>
    open(): void
}

export function makeGate(): Gate {
    let open: () => void = () => undefined
    const opened = new Promise<void>((resolve) => {
        open = resolve
    })
    return { opened, open }
}
