import type { Permit } from "./permit.ts"
import { Refusal } from "./refusal.ts"
import type { Call } from "./route.ts"
import { snapshotView } from "./snapshot-view.ts"
import type { SnapshotEvent } from "./snapshots.ts"

/** How many may listen at the same time. */
const MAX_LISTENERS = 200

/** After how long a stream says that it is there, where nothing else is to be said. */
const HEARTBEAT_MS = 15_000

/** How often they who listen are asked for again. */
const RENEWAL_MS = 60_000

/** For how long somebody may not read before the stream ends. */
const UNREAD_MS = 60_000

/** What is sent first, so that headers are, too: how long a browser waits until it tries again. */
const HEAD = "retry: 3000\n\n"
const HEARTBEAT = ": still here\n\n"

const encoder = new TextEncoder()

/** What all of those are sent who may see everything, once for each event. */
const sharedFrames = new WeakMap<SnapshotEvent, Promise<string>>()

/**
 * Answers with a stream of what is live. Nothing piles up for who reads slowly: what is sent next is what is known
 * when they read on.
 *
 * @throws Refusal with 503 where too many listen.
 */
export function liveAnswer(call: Call, signal: AbortSignal): Response {
    if (call.parts.snapshots.numListeners >= MAX_LISTENERS)
        throw new Refusal({
            status: 503,
            code: "DASHBOARD_TOO_MANY_LISTENERS",
            message: `${MAX_LISTENERS} pages are open already`,
            headers: { "retry-after": "10" },
        })
    const stream = new LiveStream(call, signal)
    return new Response(stream.body, {
        headers: {
            // A proxy that compresses or buffers would keep events back.
            "cache-control": "no-store, no-transform",
            "content-type": "text/event-stream; charset=utf-8",
            "x-accel-buffering": "no",
        },
    })
}

/** The stream of one who listens. */
class LiveStream {
    readonly body: ReadableStream<Uint8Array>
    readonly #call: Call
    #permit: Permit
    #permittedAtMs = performance.now()
    #event: SnapshotEvent | undefined
    #readAtMs = performance.now()
    #isEnded = false
    #wake: () => void = () => undefined
    readonly #leave: () => void

    constructor(call: Call, signal: AbortSignal) {
        this.#call = call
        this.#permit = call.permit
        const { snapshots } = call.parts
        this.#leave = snapshots.listen((event) => this.#hear(event))
        signal.addEventListener("abort", () => this.#end(), { once: true })
        // Nothing is asked for before it is read.
        this.body = new ReadableStream(
            {
                start: (controller) => controller.enqueue(encoder.encode(HEAD)),
                pull: async (controller) => {
                    const frame = await this.#next()
                    if (frame === undefined) controller.close()
                    else controller.enqueue(encoder.encode(frame))
                },
                cancel: () => this.#end(),
            },
            { highWaterMark: 0 },
        )
        if (signal.aborted) this.#end()
    }

    #hear(event: SnapshotEvent): void {
        if (performance.now() - this.#readAtMs > UNREAD_MS + HEARTBEAT_MS) return this.#end()
        this.#event = event
        this.#wake()
    }

    #end(): void {
        this.#isEnded = true
        this.#leave()
        this.#wake()
    }

    /** What is to be sent next; undefined at the end. */
    async #next(): Promise<string | undefined> {
        this.#readAtMs = performance.now()
        try {
            await this.#somethingNew()
            if (this.#isEnded || !(await this.#isPermitted())) return undefined
            const event = this.#event
            this.#event = undefined
            return event === undefined ? HEARTBEAT : await this.#frameOf(event)
        } catch {
            this.#isEnded = true
            return undefined
        } finally {
            if (this.#isEnded) this.#leave()
        }
    }

    /** Resolves when there is an event, at the end, or when it is time for a heartbeat. */
    async #somethingNew(): Promise<void> {
        if (this.#isEnded || this.#event !== undefined) return
        await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, HEARTBEAT_MS)
            timer.unref()
            this.#wake = () => {
                clearTimeout(timer)
                resolve()
            }
        })
    }

    async #isPermitted(): Promise<boolean> {
        if (performance.now() - this.#permittedAtMs < RENEWAL_MS) return true
        const permit = await this.#call.renewPermit()
        if (permit === undefined) this.#isEnded = true
        else this.#permit = permit
        this.#permittedAtMs = performance.now()
        return permit !== undefined
    }

    #frameOf(event: SnapshotEvent): Promise<string> {
        if (!this.#permit.isUnrestricted) return this.#freshFrameOf(event)
        const known = sharedFrames.get(event) ?? this.#freshFrameOf(event)
        sharedFrames.set(event, known)
        return known
    }

    async #freshFrameOf(event: SnapshotEvent): Promise<string> {
        if ("gone" in event) return frame("gone", event.gone)
        const { redaction, snapshots } = this.#call.parts
        const { numListeners } = snapshots
        const permit = this.#permit
        const { snapshot } = event
        return frame("snapshot", await snapshotView({ snapshot, permit, redaction, numListeners }))
    }
}

/** JSON has no line breaks, which would end the data. */
function frame(event: string, data: unknown): string {
    return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}
