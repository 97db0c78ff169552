import { randomInt } from "node:crypto"
import type { TestProject } from "vitest/node"

declare module "vitest" {
    interface ProvidedContext {
        /** What the values of the fuzz tests are made from. */
        fuzzSeed: number
        /** How often a property of weight 1 is tried. */
        fuzzRuns: number
    }
}

const DEFAULT_RUNS = 20

/** Chooses a seed, unless `CUCKMQ_FUZZ_SEED` has one, and says so: it makes the same values again. */
export default function setup(project: TestProject): void {
    const seed = wholeNumber("CUCKMQ_FUZZ_SEED") ?? randomInt(2 ** 31)
    const runs = wholeNumber("CUCKMQ_FUZZ_RUNS") ?? DEFAULT_RUNS
    project.provide("fuzzSeed", seed)
    project.provide("fuzzRuns", runs)
    console.log(`fuzz: to try the same again, CUCKMQ_FUZZ_SEED=${seed} CUCKMQ_FUZZ_RUNS=${runs}`)
}

function wholeNumber(name: string): number | undefined {
    const text = process.env[name]
    if (text === undefined || text === "") return undefined
    if (!/^-?\d+$/.test(text)) throw new Error(`expected ${name} to be a whole number, got: ${text}`)
    return Number(text)
}
