/** Chance that a seed decides: the same seed gives the same sequence. */
export class Random {
    #state: number

    constructor(seed: number) {
        this.#state = seed >>> 0
    }

    /** Another sequence that this one's seed decides, so that a draw more here changes nothing there. */
    fork(name: string): Random {
        let hash = this.#state ^ 0x9e3779b9
        for (const char of name) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193)
        return new Random(hash)
    }

    /** At least 0, below 1. */
    next(): number {
        this.#state = (this.#state + 0x6d2b79f5) | 0
        let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
        mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
    }

    between(low: number, high: number): number {
        return low + this.next() * (high - low)
    }

    integer(low: number, high: number): number {
        return Math.floor(this.between(low, high + 1))
    }

    chance(share: number): boolean {
        return this.next() < share
    }

    pick<T>(items: readonly T[]): T {
        if (items.length === 0) throw new RangeError("nothing to pick from")
        return items[Math.floor(this.next() * items.length)] as T
    }

    weighted<T extends { readonly weight: number }>(items: readonly T[]): T {
        let rest = this.next() * items.reduce((sum, { weight }) => sum + weight, 0)
        for (const item of items) {
            rest -= item.weight
            if (rest < 0) return item
        }
        return this.pick(items)
    }
}
