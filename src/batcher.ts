import { monotonicMs } from "./clock.ts"

interface Waiting<Item, Result> {
    item: Item
    resolve: (result: Result | Promise<Result>) => void
    reject: (error: unknown) => void
}

/** When items wait for more to travel with. */
export interface Linger {
    /** A flush begins at least so many milliseconds after the one before began, */
    readonly everyMs: number
    /** if that one had at least so many items: then they come in a stream, and a flush for a few of them is dear. */
    readonly minItems: number
}

/**
 * Natural batching: while one flush is under way, items are collected; when it returns, all that came in are
 * flushed together. One caller alone waits for nothing; those in a stream for a moment, where there is a `linger`.
 */
export class Batcher<Item, Result> {
    readonly #flush: (items: readonly Item[]) => Promise<readonly (Result | Promise<Result>)[]>
    readonly #maxItems: number
    readonly #weigh: (item: Item) => number
    readonly #maxWeight: number
    readonly #linger: Linger | undefined
    #waiting: Waiting<Item, Result>[] = []
    #isFlushing = false
    /** One of those that wait is not to wait for others. */
    #hasUrgent = false
    #endLinger: () => void = () => undefined

    /**
     * `flush` returns one result for each item, in order, or a promise of one that the next flush need not wait for;
     * when it throws, all of them fail.
     */
    constructor(params: {
        flush: (items: readonly Item[]) => Promise<readonly (Result | Promise<Result>)[]>
        maxItems: number
        weigh?: (item: Item) => number
        maxWeight?: number
        linger?: Linger | undefined
    }) {
        this.#flush = params.flush
        this.#maxItems = params.maxItems
        this.#weigh = params.weigh ?? (() => 0)
        this.#maxWeight = params.maxWeight ?? Number.POSITIVE_INFINITY
        this.#linger = params.linger
    }

    /** Adds an item, which waits for no others when it is urgent. Resolves when a flush that contained it has returned. */
    add(item: Item, isUrgent = false): Promise<Result> {
        return new Promise((resolve, reject) => {
            this.#waiting.push({ item, resolve, reject })
            if (isUrgent) {
                this.#hasUrgent = true
                this.#endLinger()
            }
            if (!this.#isFlushing) void this.#run()
        })
    }

    async #run(): Promise<void> {
        this.#isFlushing = true
        // Callers that start in the same tick travel together.
        await Promise.resolve()
        let beganMs = 0
        let numBefore = 0
        while (this.#waiting.length > 0) {
            await this.#lingerAfter(beganMs, numBefore)
            beganMs = monotonicMs()
            const batch = this.#waiting.splice(0, this.#batchLength())
            if (this.#waiting.length === 0) this.#hasUrgent = false
            numBefore = batch.length
            try {
                const results = await this.#flush(batch.map(({ item }) => item))
                batch.forEach(({ resolve }, index) => {
                    resolve(results[index] as Result | Promise<Result>)
                })
            } catch (error) {
                for (const { reject } of batch) reject(error)
            }
        }
        this.#isFlushing = false
    }

    /** Waits until the next flush is to begin, after one of so many items. */
    async #lingerAfter(beganMs: number, numItems: number): Promise<void> {
        if (this.#linger === undefined || numItems < this.#linger.minItems || this.#hasUrgent) return
        const leftMs = beganMs + this.#linger.everyMs - monotonicMs()
        if (leftMs <= 0) return
        await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, leftMs)
            this.#endLinger = () => {
                clearTimeout(timer)
                resolve()
            }
        })
    }

    #batchLength(): number {
        let weight = 0
        const max = Math.min(this.#waiting.length, this.#maxItems)
        for (let length = 0; length < max; length++) {
            weight += this.#weigh((this.#waiting[length] as Waiting<Item, Result>).item)
            if (weight > this.#maxWeight && length > 0) return length
        }
        return max
    }
}
