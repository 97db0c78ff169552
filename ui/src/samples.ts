import type { SnapshotAnswer } from "./answers.ts"
import { snapshot } from "./live.ts"
import { createStore } from "./store.ts"

/** What was live at one moment. Nobody keeps it but this page. */
export interface Sample {
    atMs: number
    ready: number
    delayed: number
    blocked: number
    running: number
    /** How long the oldest ready job had waited, in milliseconds. */
    oldestMs: number
}

/** What this page has seen since it was opened, the oldest first. */
export const samples = createStore<Sample[]>([])

const FINE_MS = 15 * 60_000
const COARSE_MS = 30_000
const MAX_SAMPLES = 3_000

/** Begins to keep what arrives. */
export function collectSamples(): void {
    snapshot.watch(() => {
        const answer = snapshot.get()
        if (answer !== null) samples.set(withSample(samples.get(), toSample(answer)))
    })
}

/** Adds a sample; of those that are older than a quarter of an hour, one in half a minute is kept. */
export function withSample(before: readonly Sample[], sample: Sample): Sample[] {
    const last = before.at(-1)
    if (last !== undefined && last.atMs >= sample.atMs) return [...before]
    const fineFromMs = sample.atMs - FINE_MS
    let keptMs = Number.NEGATIVE_INFINITY
    const thinned = before.filter(({ atMs }) => {
        if (atMs < fineFromMs && atMs - keptMs < COARSE_MS) return false
        keptMs = atMs
        return true
    })
    return [...thinned, sample].slice(-MAX_SAMPLES)
}

function toSample({ at, counts }: SnapshotAnswer): Sample {
    const { ready, delayed, blocked, running } = counts.total
    return {
        atMs: Date.parse(at),
        ready: ready.num,
        delayed: delayed.num,
        blocked: blocked.num,
        running: running.num,
        oldestMs: Math.max(0, ...counts.definitions.map(({ oldestReady }) => oldestReady?.ageMs ?? 0)),
    }
}
