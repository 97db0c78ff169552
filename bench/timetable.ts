import { scenarioOf } from "./scenarios/index.ts"

/** The whole benchmark takes less than 25 minutes, on a slow or busy machine too. */
const END_MS = 23 * 60_000

/** Decides who is measured again: only where there is time left to measure every scenario that comes after it once. */
export class Timetable {
    readonly #names: readonly string[]
    readonly #startMs = performance.now()
    /** How long first rounds took, and how long they take on the machine whose figures are kept. */
    #firstMs = 0
    #usualMs = 0

    constructor(names: readonly string[]) {
        this.#names = names
    }

    /** A scenario was measured once. */
    tookFirst(name: string, ms: number): void {
        this.#firstMs += ms
        this.#usualMs += usualMsOf(name)
    }

    /** Whether there is time for another round like the one before. */
    hasTimeFor(name: string, roundMs: number): boolean {
        const later = this.#names.slice(this.#names.indexOf(name) + 1)
        const laterMs = later.reduce((sum, other) => sum + usualMsOf(other), 0)
        const slowness = this.#firstMs / this.#usualMs
        return this.#leftMs > roundMs + laterMs * slowness
    }

    /** Whether there is time for anything at all. */
    get isOver(): boolean {
        return this.#leftMs <= 0
    }

    get #leftMs(): number {
        return this.#startMs + END_MS - performance.now()
    }
}

function usualMsOf(name: string): number {
    return scenarioOf(name).usualSeconds * 1_000
}
