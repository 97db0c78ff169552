import type { Core } from "../config.ts"
import type { Event } from "../events.ts"

/** What a worker session needs to know. */
export interface WorkerSettings {
    readonly core: Core
    readonly name: string
    readonly channel: string
    readonly concurrency: number
    readonly numThreads: number
    readonly processIntervalMs: number
    readonly orphanGraceMs: number
    readonly emit: (event: Event) => void
}
