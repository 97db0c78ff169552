import { sweepDaemons as sweep } from "../statements/daemons.ts"
import type { Chore } from "./chore.ts"

/** How long a daemon is silent before nobody needs to know of it any more. */
const SILENT_MS = 5 * 60_000

/** Forgets the daemons that ended without a word. They count as dead after 30 seconds; this only makes room. */
export function sweepDaemons(cleanIntervalMs: number): Chore {
    return {
        name: "sweep daemons",
        run: async ({ core: { run, schema } }) => {
            await sweep({ run, schema, silentMs: SILENT_MS })
            return cleanIntervalMs
        },
    }
}
