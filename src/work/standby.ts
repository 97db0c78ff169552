import type { Core } from "../config.ts"
import type { Database } from "../db/database.ts"
import { RenewalThread, type WatchedLease } from "../db/renewal-thread.ts"
import { renewLeasesText } from "../statements/leases.ts"

/** A thread, and those whose leases it watches. */
interface Shared {
    readonly thread: RenewalThread
    readonly users: Set<Standby>
}

const threads = new WeakMap<Database, Shared>()

/**
 * Sees to a worker's leases while its event loop is blocked. The thread is shared by the workers of a Config, and is
 * there only while one of them holds jobs: an idle process pays nothing for it.
 */
export class Standby {
    readonly #core: Core
    #shared: Shared | undefined
    #isImpossible = false

    constructor(core: Core) {
        this.#core = core
    }

    /** Whether leases are renewed though the event loop is blocked. */
    get isReady(): boolean {
        return this.#shared?.thread.isAlive ?? false
    }

    /** Begins to watch all leases of a worker that has jobs now. Does nothing if it does already. */
    begin(leases: Iterable<WatchedLease>): void {
        if (this.#shared !== undefined || this.#isImpossible) return
        this.#shared = this.#join()
        if (this.#shared === undefined) this.#isImpossible = true
        else for (const lease of leases) this.#shared.thread.watch(lease)
    }

    /** Learns of a lease, or that it was renewed. */
    watch(lease: WatchedLease): void {
        this.#shared?.thread.watch(lease)
    }

    forget(lease: WatchedLease): void {
        this.#shared?.thread.forget(lease.id)
    }

    /** Until when a lease is ours, as far as we can know without asking. */
    deadlineMs({ id, deadlineMs }: WatchedLease): number {
        return Math.max(deadlineMs, this.#shared?.thread.renewedUntilMs(id) ?? deadlineMs)
    }

    /** Ceases to watch, and ends the thread if nobody else needs it. */
    end(leases: Iterable<WatchedLease>): void {
        const shared = this.#shared
        if (shared === undefined) return
        for (const lease of leases) shared.thread.forget(lease.id)
        this.#shared = undefined
        shared.users.delete(this)
        if (shared.users.size > 0) return
        shared.thread.stop()
        if (threads.get(this.#core.database) === shared) threads.delete(this.#core.database)
    }

    #join(): Shared | undefined {
        const { database, schema } = this.#core
        let shared = threads.get(database)
        if (shared === undefined || !shared.thread.isAlive) {
            const options = database.connectionOptions
            if (options === undefined) return undefined
            const thread = RenewalThread.start({ options, text: renewLeasesText(schema) })
            if (thread === undefined) return undefined
            shared = { thread, users: new Set() }
            threads.set(database, shared)
        }
        shared.users.add(this)
        return shared
    }
}
