interface Waiting<Item, Result> {
    item: Item
    resolve: (result: Result | Promise<Result>) => void
    reject: (error: unknown) => void
}

/**
 * Natural batching: while one flush is under way, items are collected; when it returns, all that came in are
 * flushed together. There is no timer, so one caller alone waits for nothing.
 */
export class Batcher<Item, Result> {
    readonly #flush: (items: readonly Item[]) => Promise<readonly (Result | Promise<Result>)[]>
    readonly #maxItems: number
    readonly #weigh: (item: Item) => number
    readonly #maxWeight: number
    #waiting: Waiting<Item, Result>[] = []
    #isFlushing = false

    /**
     * `flush` returns one result for each item, in order, or a promise of one that the next flush need not wait for;
     * when it throws, all of them fail.
     */
    constructor(params: {
        flush: (items: readonly Item[]) => Promise<readonly (Result | Promise<Result>)[]>
        maxItems: number
        weigh?: (item: Item) => number
        maxWeight?: number
    }) {
        this.#flush = params.flush
        this.#maxItems = params.maxItems
        this.#weigh = params.weigh ?? (() => 0)
        this.#maxWeight = params.maxWeight ?? Number.POSITIVE_INFINITY
    }

    /** Adds an item. Resolves when a flush that contained it has returned. */
    add(item: Item): Promise<Result> {
        return new Promise((resolve, reject) => {
            this.#waiting.push({ item, resolve, reject })
            if (!this.#isFlushing) void this.#run()
        })
    }

    async #run(): Promise<void> {
        this.#isFlushing = true
        // Callers that start in the same tick travel together.
        await Promise.resolve()
        while (this.#waiting.length > 0) {
            const batch = this.#waiting.splice(0, this.#batchLength())
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
