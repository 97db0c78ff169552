import { shrinking } from "../db/shrinking.ts"
import { FIRST_KEY, type KeyCursor, sweepUniqueKeys as sweep } from "../statements/sweep-unique-keys.ts"
import type { Chore } from "./chore.ts"

/** Keys looked through in one statement. */
const CHUNK = 10_000

/** Forgets the keys that no job has any more. They are free without it; it only makes room. */
export function sweepUniqueKeys(cleanIntervalMs: number): Chore {
    return {
        name: "sweep unique keys",
        run: async ({ core: { run, schema } }) => {
            const inTime = shrinking(CHUNK)
            let after: KeyCursor | undefined = FIRST_KEY
            while (after !== undefined) {
                const from: KeyCursor = after
                after = await inTime((limit) => sweep({ run, schema, after: from, limit }))
            }
            return cleanIntervalMs
        },
    }
}
