import { Alarm } from "../clock.ts"
import type { Core } from "../config.ts"
import { type CancelRequest, selectCancelRequests } from "../statements/cancel-jobs.ts"
import { FAR_MS } from "./deadlines.ts"
import type { LeaseKeeper } from "./lease-keeper.ts"
import type { RunPool } from "./run-pool.ts"

/** How often runs with a far deadline are looked at: before it can be less than that away. */
const FAR_EVERY_MS = FAR_MS / 2

/**
 * Watches over a worker's runs while it has some: ends those that are to be cancelled, and checks deadlines that were too
 * far away for a timer. Asks for the former once every process interval, and when a hint says so; also while the worker
 * stops and looks for nothing else any more.
 */
export class RunWatch {
    readonly #core: Core
    readonly #leases: LeaseKeeper
    readonly #pool: RunPool
    readonly #intervalMs: number
    readonly #onError: (activity: string, error: unknown) => void
    readonly #alarm = new Alarm(() => this.check())
    readonly #farAlarm = new Alarm(() => this.#checkDeadlines())
    #checking: Promise<void> | undefined
    #isWanted = false
    #isWatching = false

    constructor(params: {
        core: Core
        leases: LeaseKeeper
        pool: RunPool
        intervalMs: number
        onError: (activity: string, error: unknown) => void
    }) {
        this.#core = params.core
        this.#leases = params.leases
        this.#pool = params.pool
        this.#intervalMs = params.intervalMs
        this.#onError = params.onError
    }

    /** There are runs now. Ends by itself when there are none. */
    begin(): void {
        if (this.#isWatching) return
        this.#isWatching = true
        this.#alarm.set(this.#intervalMs)
        this.#farAlarm.set(FAR_EVERY_MS)
    }

    /** Asks what is to be cancelled: now, or once more when the answer that is under way has come. */
    check(): void {
        if (!this.#isWatching) return
        if (this.#pool.isEmpty) return this.end()
        this.#isWanted = true
        this.#checking ??= this.#checkWhileWanted().finally(() => {
            this.#checking = undefined
        })
    }

    end(): void {
        this.#isWatching = false
        this.#alarm.clear()
        this.#farAlarm.clear()
    }

    #checkDeadlines(): void {
        for (const run of this.#pool.running) run.watch()
        this.#farAlarm.set(FAR_EVERY_MS)
    }

    async #checkWhileWanted(): Promise<void> {
        while (this.#isWanted && this.#isWatching) {
            this.#isWanted = false
            this.#alarm.set(this.#intervalMs)
            const { run, schema } = this.#core
            try {
                const { leaseIDs } = this.#leases
                this.#cancel(await selectCancelRequests({ run, schema, leaseIDs }))
            } catch (error) {
                this.#onError("look for cancelled jobs", error)
            }
        }
    }

    #cancel(requests: readonly CancelRequest[]): void {
        if (requests.length === 0) return
        const byID = new Map(requests.map((request) => [request.id, request]))
        const requestOf = ({ id, token }: { id: number; token: number }) => {
            const request = byID.get(id)
            return request?.token === token ? request : undefined
        }
        const ahead = this.#pool.takeAhead((run) => requestOf(run) !== undefined)
        for (const run of [...this.#pool.running, ...ahead]) {
            const request = requestOf(run)
            if (request !== undefined) run.cancel(request.reason)
        }
    }
}
