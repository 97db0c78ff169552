import type { Core } from "../config.ts"
import type { Event } from "../events.ts"
import type { News } from "../hints.ts"

/** What a chore is given each time. */
export interface ChoreContext {
    readonly core: Core
    readonly emit: (event: Event) => void
}

/** One maintenance duty of the orchestrator. */
export interface Chore {
    readonly name: string
    /** What makes it due at once when orchestrators are told. */
    readonly heeds?: News
    /** Does the duty once. Returns the milliseconds until it is due again. */
    run(context: ChoreContext): Promise<number>
}
