import type { Fault } from "./faults/fault.ts"
import type { Range } from "./profile.ts"
import type { Random } from "./random.ts"

/** A fault that is to come. */
export interface Planned {
    /** After the beginning of the one before, or after its end where only one may be in force. */
    readonly gapMs: number
    readonly fault: Fault
    /** Of its own, so that what one fault draws changes no other. */
    readonly random: Random
}

/** So many kinds of faults are a mix. */
const MIX = 5

/**
 * An endless sequence that the seed decides: each fault once, in a random order, and from then on as often as its
 * weight says, dealt as cards are, so that none is missing for long.
 */
export function* schedule(params: {
    random: Random
    faults: readonly Fault[]
    gapMs: Range
}): Generator<Planned, void> {
    const { random, faults, gapMs } = params
    if (faults.length === 0) return
    // The gaps are made for a mix. One kind alone, at that rate, would leave nothing alive to look at.
    const stretch = Math.max(1, MIX / faults.length)
    let deck = shuffle(random, faults)
    for (let number = 0; ; number++) {
        for (const fault of deck)
            yield {
                gapMs: random.between(...gapMs) * stretch,
                fault,
                random: random.fork(`${fault.name} ${number}`),
            }
        deck = shuffle(
            random,
            faults.flatMap((fault) => new Array<Fault>(fault.weight).fill(fault)),
        )
    }
}

function shuffle<T>(random: Random, items: readonly T[]): T[] {
    const left = [...items]
    const shuffled: T[] = []
    while (left.length > 0) shuffled.push(...left.splice(random.integer(0, left.length - 1), 1))
    return shuffled
}
