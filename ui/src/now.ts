import { useEffect } from "preact/hooks"
import { createStore, useStore } from "./store.ts"

/** What to add to this machine's clock to have the server's. */
let offsetMs = 0
let numUsers = 0
let timer: ReturnType<typeof setInterval> | undefined

const now = createStore(Date.now())

/** The server's time, in milliseconds. */
export function serverNow(): number {
    return Date.now() + offsetMs
}

/** Learns what time it is on the server. */
export function learnServerTime(at: string): void {
    offsetMs = Date.parse(at) - Date.now()
}

/** The server's time; the component is drawn again every second. */
export function useNow(): number {
    useEffect(() => {
        numUsers++
        timer ??= setInterval(tick, 1_000)
        return () => {
            numUsers--
            if (numUsers > 0) return
            clearInterval(timer)
            timer = undefined
        }
    }, [])
    return Math.max(useStore(now), serverNow() - 1_000)
}

function tick(): void {
    if (!document.hidden) now.set(serverNow())
}
