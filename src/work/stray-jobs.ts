import type { Core } from "../config.ts"
import { LANE_WITHOUT_KEYS, laneOf } from "../gate.ts"
import { putIntoLanes, type StrayCursor, selectStrayJobs } from "../statements/gates.ts"
import type { KnownDefinition } from "./claimer.ts"

/** How many ready jobs of a definition are looked at in one statement. */
const MAX_JOBS = 1_000

const START: StrayCursor = { priority: -(2 ** 31), position: 0 }

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
        for (const definition of definitions) {
            let hasFound = true
            while (hasFound) hasFound = await this.#gatherSome(definition)
        }
    }

    /** Returns whether it found some and has not come to the end. */
    async #gatherSome({ id, definition }: KnownDefinition): Promise<boolean> {
        const { gate, name } = definition
        const { run, schema } = this.#core
        if (gate === null) return false
        const after = this.#cursors.get(id) ?? START
        const query = { run, schema, definitionID: id, after, limit: MAX_JOBS }
        const { jobs, next } = await selectStrayJobs(query)
        this.#cursors.set(id, next ?? START)
        if (jobs.length === 0) return false
        const laneFor = (payload: string) => {
            try {
                return laneOf({ definition: name, gate, payload: JSON.parse(payload) })
            } catch (error) {
                // Without a lane it would wait for ever.
                this.#onFault(`find the key of a job of ${name}`, error)
                return LANE_WITHOUT_KEYS
            }
        }
        const inLanes = jobs.map((job) => ({ id: job.id, lane: laneFor(job.payload) }))
        await putIntoLanes({ run, schema, jobs: inLanes })
        return next !== undefined
    }
}
