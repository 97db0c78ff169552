import { Refusal } from "./refusal.ts"

/** Lets so many do something at the same time, and others wait, but not too many of them. */
export class Turns {
    readonly #max: number
    readonly #maxWaiting: number
    readonly #waiting: (() => void)[] = []
    #numTaken = 0

    constructor({ max, maxWaiting }: { max: number; maxWaiting: number }) {
        this.#max = max
        this.#maxWaiting = maxWaiting
    }

    /** @throws Refusal with 503 where too many wait. */
    async take<T>(work: () => Promise<T>): Promise<T> {
        if (this.#numTaken >= this.#max) {
            if (this.#waiting.length >= this.#maxWaiting) throw busy()
            // Whoever ends hands over their turn.
            await new Promise<void>((resolve) => this.#waiting.push(resolve))
        } else this.#numTaken++
        try {
            return await work()
        } finally {
            const next = this.#waiting.shift()
            if (next === undefined) this.#numTaken--
            else next()
        }
    }
}

function busy(): Refusal {
    return new Refusal({
        status: 503,
        code: "DASHBOARD_BUSY",
        message: "too much is being asked at the same time",
        headers: { "retry-after": "1" },
    })
}
