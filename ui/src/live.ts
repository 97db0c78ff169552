import type { GoneEvent, SnapshotAnswer } from "./answers.ts"
import { get, messageOf } from "./http.ts"
import { learnServerTime } from "./now.ts"
import { createStore } from "./store.ts"

/**
 * How what is live arrives. `connecting`: not yet. `live`: by the stream. `polling`: the stream failed repeatedly, so it is
 * asked for. `gone`: the server is there, and its database is not. `lost`: the server cannot be reached. `paused`: the page
 * is hidden.
 */
export interface Connection {
    state: "connecting" | "live" | "polling" | "gone" | "lost" | "paused"
    /** What went wrong; null where nothing did. */
    message: string | null
}

export const connection = createStore<Connection>({ state: "connecting", message: null })

/** What is live; null until it arrived for the first time. */
export const snapshot = createStore<SnapshotAnswer | null>(null)

/** After so many failures in a row the stream is given up for a while. */
const MAX_FAILURES = 3
const POLL_MS = 5_000
/** How often it is asked for until the stream is tried again. */
const NUM_POLLS = 12

let stream: EventSource | undefined
let polling: AbortController | undefined
let numFailures = 0

/** Has what is live arrive for as long as somebody sees the page. */
export function followLive(): void {
    const follow = () => {
        stop()
        if (document.hidden) connection.set({ state: "paused", message: null })
        else open()
    }
    document.addEventListener("visibilitychange", follow)
    // A page that is kept for the way back would hold the stream open.
    window.addEventListener("pagehide", stop)
    window.addEventListener("pageshow", (event) => {
        if (event.persisted) follow()
    })
    follow()
}

/** Tries again at once. */
export function reconnect(): void {
    stop()
    open()
}

function open(): void {
    numFailures = 0
    connection.set({ state: "connecting", message: null })
    listen()
}

function stop(): void {
    stream?.close()
    stream = undefined
    polling?.abort()
    polling = undefined
}

function listen(): void {
    const source = new EventSource("api/live")
    stream = source
    source.addEventListener("snapshot", (event) => {
        numFailures = 0
        take(JSON.parse(event.data) as SnapshotAnswer, "live")
    })
    source.addEventListener("gone", (event) => {
        const { message } = JSON.parse(event.data) as GoneEvent
        connection.set({ state: "gone", message })
    })
    source.addEventListener("error", () => {
        if (stream !== source) return
        numFailures++
        connection.set({ state: "lost", message: "The live stream broke off." })
        // A browser does not try again after an answer that is no stream.
        if (source.readyState !== EventSource.CLOSED && numFailures < MAX_FAILURES) return
        source.close()
        stream = undefined
        void poll()
    })
}

/** Asks again and again, each time when the answer before is there, and then tries the stream anew. */
async function poll(): Promise<void> {
    const controller = new AbortController()
    polling = controller
    const { signal } = controller
    for (let num = 1; num <= NUM_POLLS && !signal.aborted; num++) {
        try {
            const answer = await get<SnapshotAnswer>("snapshot", {}, signal)
            if (!signal.aborted) take(answer, "polling")
        } catch (error) {
            if (!signal.aborted) connection.set({ state: "lost", message: messageOf(error) })
        }
        await pause(POLL_MS, signal)
    }
    if (!signal.aborted) listen()
}

function take(answer: SnapshotAnswer, state: "live" | "polling"): void {
    learnServerTime(answer.at)
    connection.set({ state, message: null })
    snapshot.set(answer)
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
        const timer = setTimeout(resolve, ms)
        signal.addEventListener("abort", () => {
            clearTimeout(timer)
            resolve()
        })
    })
}
