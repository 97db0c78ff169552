import { Batcher } from "./batcher.ts"
import { lockNotAvailable, refusesValues, wasTooLong } from "./db/failure.ts"
import { type Deferral, groupsByKey, type KeyedJob, keyID } from "./unique-jobs.ts"

/**
 * Whether what is deferred waits for a key that someone else's transaction has, and comes back to one that others took
 * meanwhile; or gives up soon, and leaves those out.
 */
export type Patience = "patient" | "impatient"

type Insert<Job> = (jobs: readonly Job[], patience: Patience) => Promise<readonly (Deferral | undefined)[]>

/**
 * Lets jobs that have keys, of concurrent callers, share statements. A key may be held by a transaction that stays open
 * for long. Then only those wait who want that key, in a statement of their own, and who wants it meanwhile comes after.
 */
export class KeyedBatcher<Job extends KeyedJob & { readonly payload: string }> {
    readonly #insert: Insert<Job>
    readonly #batcher: Batcher<Job, Deferral>
    readonly #awaited = new Map<string | undefined, Promise<unknown>>()

    constructor(params: {
        insert: Insert<Job>
        maxItems: number
        maxWeight: number
    }) {
        this.#insert = params.insert
        this.#batcher = new Batcher({
            flush: (jobs) => this.#flush(jobs),
            maxItems: params.maxItems,
            weigh: (job) => job.payload.length,
            maxWeight: params.maxWeight,
        })
    }

    /** Adds a job. Resolves when it is known which one stands. */
    async add(job: Job): Promise<Deferral> {
        const id = keyID(job)
        for (let awaited = this.#awaited.get(id); awaited !== undefined; awaited = this.#awaited.get(id))
            await awaited.catch(() => undefined)
        return this.#batcher.add(job)
    }

    /** What befalls one caller must not befall the others: then each key, or each job, goes by itself. */
    async #flush(jobs: readonly Job[]): Promise<(Deferral | Promise<Deferral>)[]> {
        try {
            const deferrals = await this.#insert(jobs, "impatient")
            return jobs.map((job, index) => deferrals[index] ?? this.#batcher.add(job))
        } catch (error) {
            const isHeld = lockNotAvailable(error)
            if (!isHeld && !refusesValues(error) && !wasTooLong(error)) throw error
            const groups = groupsByKey(jobs)
            if (groups.length === 1 && isHeld) return this.#await(jobs)
            if (jobs.length === 1) throw error
            return this.#flushEach(jobs, groups.length > 1 ? groups : jobs.map((job) => [job]))
        }
    }

    async #flushEach(
        jobs: readonly Job[],
        parts: readonly (readonly Job[])[],
    ): Promise<(Deferral | Promise<Deferral>)[]> {
        const deferrals = new Map<Job, Deferral | Promise<Deferral>>()
        for (const part of parts) {
            const results = await this.#flush(part).catch((error: unknown) => part.map(() => rejected(error)))
            for (const [index, job] of part.entries()) {
                const result = results[index] as Deferral | Promise<Deferral>
                deferrals.set(job, result instanceof Promise ? handledLater(result) : result)
            }
        }
        return jobs.map((job) => deferrals.get(job) as Deferral)
    }

    /** Waits for the key of these jobs, while the next flush goes on. */
    #await(jobs: readonly Job[]): Promise<Deferral>[] {
        const id = jobs[0] === undefined ? undefined : keyID(jobs[0])
        const awaited = this.#insert(jobs, "patient").finally(() => this.#awaited.delete(id))
        this.#awaited.set(id, awaited)
        return jobs.map(async (_, index) => (await awaited)[index] as Deferral)
    }
}

/** A promise that rejects, and is handed on later. */
export function rejected(error: unknown): Promise<never> {
    return handledLater(Promise.reject(error))
}

/** Until it is handed on, a promise that rejects must not pass for one that nobody handles. */
function handledLater<T>(promise: Promise<T>): Promise<T> {
    promise.catch(() => undefined)
    return promise
}
