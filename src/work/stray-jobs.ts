import type { Core } from "../config.ts"
import { PLACING_WITHOUT_KEYS, type Placing, placeOf } from "../gate.ts"
import type { RegisteredJob } from "../registry.ts"
import { putIntoLanes, type StrayCursor, selectStrayJobs } from "../statements/gates.ts"
import type { KnownDefinition } from "./claimer.ts"

/** How many ready jobs of a definition are looked at in one statement. */
const MAX_JOBS = 1_000

/** Before the first of all. */
const START = { priority: -(2 ** 31), position: 0 }

/**
 * Finds ready jobs of gated definitions that are in no lane, and puts them into theirs: those that were deferred by a
 * process that does not know of the limits, before a release that has them, or during a deploy. Goes through the ready
 * jobs piece by piece, one piece a time where it finds none, so that a long queue costs no more than a short one.
 */
export class StrayJobs {
    readonly #core: Core
    readonly #onFault: (activity: string, error: unknown) => void
    readonly #cursors = new Map<number, StrayCursor>()

    constructor(core: Core, onFault: (activity: string, error: unknown) => void) {
        this.#core = core
        this.#onFault = onFault
    }

    async gather(definitions: readonly KnownDefinition[]): Promise<void> {
        let rest = definitions
        while (rest.length > 0) rest = await this.#gatherSome(rest)
    }

    /** Returns the definitions of which it found some, and that have more. */
    async #gatherSome(definitions: readonly KnownDefinition[]): Promise<KnownDefinition[]> {
        const { run, schema } = this.#core
        const after = definitions.map(({ id }) => this.#cursors.get(id) ?? { definitionID: id, ...START })
        const found = await selectStrayJobs({ run, schema, after, limit: MAX_JOBS })
        const rest: KnownDefinition[] = []
        for (const known of definitions) {
            const { jobs = [], next } = found.get(known.id) ?? {}
            if (next === undefined) this.#cursors.delete(known.id)
            else this.#cursors.set(known.id, next)
            if (jobs.length === 0) continue
            const placed = jobs.map(({ id, payload }) => ({
                id,
                ...this.#placeOf(known.definition, payload),
            }))
            await putIntoLanes({ run, schema, jobs: placed })
            if (next !== undefined) rest.push(known)
        }
        return rest
    }

    #placeOf({ name, gate }: RegisteredJob, payload: string): Placing {
        if (gate === null) return PLACING_WITHOUT_KEYS
        try {
            return placeOf({ definition: name, gate, payload: JSON.parse(payload) })
        } catch (error) {
            // Without a lane it would wait for ever.
            this.#onFault(`find the key of a job of ${name}`, error)
            return PLACING_WITHOUT_KEYS
        }
    }
}
