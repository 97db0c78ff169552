/** Counts what is under way, and tells when nothing is. Keeps none of it: there are thousands a second. */
export class Pending {
    #num = 0
    #waiting: (() => void)[] = []

    get num(): number {
        return this.#num
    }

    /** Counts it until it is over. It never rejects. */
    track<T>(one: Promise<T>): Promise<T> {
        this.#num++
        one.then(this.#onOver, this.#onOver)
        return one
    }

    /** Resolves when nothing is under way. */
    async drain(): Promise<void> {
        while (this.#num > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }

    readonly #onOver = (): void => {
        this.#num--
        if (this.#num > 0) return
        const waiting = this.#waiting
        this.#waiting = []
        for (const resolve of waiting) resolve()
    }
}
