import type { Counts, OrchestratorInfo, WorkerInfo } from "../index.ts"
import type { GoneEvent, Operation } from "./api.ts"

/** How long after a snapshot the next one is made, in milliseconds. */
const INTERVAL_MS = 2_000

/** What is live, for all who listen. */
export interface Snapshot {
    at: Date
    counts: Counts
    workers: WorkerInfo[]
    orchestrators: OrchestratorInfo[]
    operations: Operation[]
}

/** What those who listen are told: what is live, or why it is not known. */
export type SnapshotEvent = { snapshot: Snapshot } | { gone: GoneEvent }

/** Hears of snapshots. */
export type Listener = (event: SnapshotEvent) => void

/**
 * Makes a snapshot every two seconds while anybody listens: one for all of them, however many they are, and none while the one
 * before is being made.
 */
export class Snapshots {
    readonly #make: () => Promise<Snapshot>
    readonly #goneOf: (error: unknown) => GoneEvent
    readonly #listeners = new Set<Listener>()
    #latest: Snapshot | undefined
    #making: Promise<Snapshot> | undefined
    #timer: NodeJS.Timeout | undefined
    #isTelling = false

    constructor(params: { make: () => Promise<Snapshot>; goneOf: (error: unknown) => GoneEvent }) {
        this.#make = params.make
        this.#goneOf = params.goneOf
    }

    /** How many listen. */
    get numListeners(): number {
        return this.#listeners.size
    }

    /** Tells somebody of what is live, from now on until the function that it returns is called. */
    listen(listener: Listener): () => void {
        this.#listeners.add(listener)
        if (this.#timer === undefined) void this.#tell()
        else if (this.#latest !== undefined) listener({ snapshot: this.#latest })
        return () => {
            this.#listeners.delete(listener)
            if (this.#listeners.size > 0) return
            clearTimeout(this.#timer)
            this.#timer = undefined
        }
    }

    /** What is live, as it was two seconds ago at the most. */
    async latest(): Promise<Snapshot> {
        const { at } = this.#latest ?? { at: new Date(0) }
        const ageMs = Date.now() - at.getTime()
        if (this.#latest !== undefined && ageMs >= 0 && ageMs < INTERVAL_MS) return this.#latest
        return this.#refresh()
    }

    async #tell(): Promise<void> {
        // Whoever came while a snapshot was being made is told of that one.
        if (this.#isTelling) return
        this.#isTelling = true
        const event = await this.#refresh().then(
            (snapshot) => ({ snapshot }),
            (error: unknown) => ({ gone: this.#goneOf(error) }),
        )
        this.#isTelling = false
        for (const listener of [...this.#listeners]) listener(event)
        if (this.#listeners.size === 0) return
        this.#timer = setTimeout(() => {
            this.#timer = undefined
            void this.#tell()
        }, INTERVAL_MS)
        this.#timer.unref()
    }

    #refresh(): Promise<Snapshot> {
        this.#making ??= this.#make().then(
            (snapshot) => {
                this.#making = undefined
                this.#latest = snapshot
                return snapshot
            },
            (error: unknown) => {
                this.#making = undefined
                this.#latest = undefined
                throw error
            },
        )
        return this.#making
    }
}
