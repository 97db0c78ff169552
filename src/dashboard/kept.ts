/** What takes work to make, and is the same for all who ask: made once for those that ask at the same time or soon after. */
export class Kept<Value> {
    readonly #make: () => Promise<Value>
    readonly #keptMs: number
    #current: { atMs: number; value: Promise<Value> } | undefined

    /** What is made is given again for `keptMs` from when it was asked for; what fails is not. */
    constructor(params: { make: () => Promise<Value>; keptMs: number }) {
        this.#make = params.make
        this.#keptMs = params.keptMs
    }

    /** Rejects with what making it rejects with. */
    get(): Promise<Value> {
        const known = this.#current
        if (known !== undefined && performance.now() - known.atMs < this.#keptMs) return known.value
        const current = { atMs: performance.now(), value: this.#make() }
        this.#current = current
        current.value.catch(() => {
            if (this.#current === current) this.#current = undefined
        })
        return current.value
    }
}
