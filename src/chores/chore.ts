import type { Core } from "../config.ts"
import type { Event } from "../events.ts"

/** What a chore is given each time. */
export interface ChoreContext {
    readonly core: Core
    readonly emit: (event: Event) => void
}

/** One maintenance duty of the orchestrator. */
export interface Chore {
    readonly name: string
    /** Whether it is due at once when a schedule was changed. */
    readonly heedsSchedules?: boolean
    /** Does the duty once. Returns the milliseconds until it is due again. */
    run(context: ChoreContext): Promise<number>
}
