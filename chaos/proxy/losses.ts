import type { Outcome } from "./exchange.ts"
import { type Matching, matches, mayMatch } from "./matching.ts"

/** Answers that are to be lost: how many, of what, until when. */
export class Losses {
    readonly #orders = new Set<{ matching: Matching; numLeft: number; untilMs: number; onLost: () => void }>()

    /** Loses the next `count` matching answers, or those that come in time. Resolves with how many they were. */
    lose(params: { matching: Matching; count: number; forMs: number }): Promise<number> {
        return new Promise((resolve) => {
            let numLost = 0
            const untilMs = performance.now() + params.forMs
            const finish = () => {
                clearTimeout(timer)
                this.#orders.delete(order)
                resolve(numLost)
            }
            const order = {
                matching: params.matching,
                numLeft: params.count,
                untilMs,
                onLost: () => {
                    numLost++
                    if (--order.numLeft === 0) finish()
                },
            }
            const timer = setTimeout(finish, params.forMs)
            this.#orders.add(order)
        })
    }

    /** Whether an answer that begins must be kept back. */
    mayMatch(texts: readonly string[]): boolean {
        for (const { matching } of this.#orders) if (mayMatch(matching, texts)) return true
        return false
    }

    /** Whether the whole answer is to be lost; it counts then. */
    take(outcome: Outcome): boolean {
        for (const order of this.#orders) {
            if (!matches(order.matching, outcome)) continue
            order.onLost()
            return true
        }
        return false
    }
}
