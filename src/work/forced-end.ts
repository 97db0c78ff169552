import { Alarm } from "../clock.ts"
import type { RunPool } from "./run-pool.ts"
import type { Settler } from "./settler.ts"

/** How long aborted handlers have to end before their jobs are handed back over their heads. */
const ABORT_GRACE_MS = 500

/** How long that may take to be recorded: all in all, no more than a second passes after the caller's grace. */
const LAST_WRITE_MS = 300

/** Ends what a worker still runs when its grace is over. */
export class ForcedEnd {
    readonly #pool: RunPool
    readonly #settler: Settler
    readonly #onOverdue: () => void
    readonly #alarm = new Alarm(() => this.#giveBackRunning())
    #isGivenBack = false

    /** `onOverdue` is called when even what was handed back is not recorded in time. */
    constructor(params: { pool: RunPool; settler: Settler; onOverdue: () => void }) {
        this.#pool = params.pool
        this.#settler = params.settler
        this.#onOverdue = params.onOverdue
    }

    begin(): void {
        for (const run of this.#pool.running) run.abortForShutdown()
        this.#alarm.set(ABORT_GRACE_MS)
    }

    /** Everything has ended by itself. */
    clear(): void {
        this.#alarm.clear()
    }

    #giveBackRunning(): void {
        for (const run of this.#pool.running) run.giveBack()
        this.#settler.giveUp()
        // A database that does not answer must not hold the process: what is not recorded runs again elsewhere.
        if (this.#isGivenBack) this.#onOverdue()
        else this.#alarm.set(LAST_WRITE_MS)
        this.#isGivenBack = true
    }
}
