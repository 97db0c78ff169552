import type fc from "fast-check"
import { compare } from "./compare.ts"
import type { Oracle } from "./oracle.ts"
import type { World } from "./world.ts"

/** One thing that happens to a queue, on both sides. Afterwards they are compared. */
export type Step = fc.AsyncCommand<Oracle, World>

/** What a step is told of both sides. */
export interface Sides {
    readonly oracle: Oracle
    readonly world: World
}

/** Makes a step. */
export function step(name: string, params: { run: (sides: Sides) => Promise<void> }): Step {
    return {
        check: () => true,
        run: async (oracle, world) => {
            await params.run({ oracle, world })
            await compare(oracle, world)
        },
        toString: () => name,
    }
}

/** One of a list, by any number; undefined when the list is empty. */
export function pick<T>(list: readonly T[], number: number): T | undefined {
    return list[number % Math.max(1, list.length)]
}
