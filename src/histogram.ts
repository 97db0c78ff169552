/** How many buckets there are between a duration and its double: each bound is the one before by the root of two. */
const BUCKETS_A_DOUBLING = 2

/** The largest bound is 2^22 ms, an hour and ten minutes. */
const NUM_DOUBLINGS = 22

/** The upper bounds of the buckets in milliseconds, which belong to them. The last bucket, of all above, has none. */
export const BOUNDS_MS: readonly number[] = Array.from(
    { length: NUM_DOUBLINGS * BUCKETS_A_DOUBLING + 1 },
    (_, index) => 2 ** (index / BUCKETS_A_DOUBLING),
)

const LAST_BOUND_MS = 2 ** NUM_DOUBLINGS

/** How many buckets there are, with the last. */
export const NUM_BUCKETS = BOUNDS_MS.length + 1

/** Durations, as many as there may be. */
export interface Histogram {
    /** How many there are in each bucket. What follows the last of them is zero. */
    readonly counts: readonly number[]
    readonly sumMs: number
}

/** The bucket of a duration: what is no longer than a millisecond is in the first. */
export function bucketOf(ms: number): number {
    if (!(ms > 1)) return 0
    if (ms > LAST_BOUND_MS) return NUM_BUCKETS - 1
    // Once for each job: a logarithm takes ten times as long.
    const numDoublings = 31 - Math.clz32(ms)
    let bucket = numDoublings * BUCKETS_A_DOUBLING
    while (ms > (BOUNDS_MS[bucket] ?? LAST_BOUND_MS)) bucket++
    return bucket
}

/** How many durations there are. */
export function numIn({ counts }: Pick<Histogram, "counts">): number {
    let num = 0
    for (const count of counts) num += count
    return num
}

/**
 * The duration that a share of them does not exceed; null when there are none. It is in the same bucket as the true one,
 * and interpolated there as if durations were spread evenly by their logarithms: so it is never wrong by a factor of more
 * than the root of two. Of what is above all bounds, the largest bound.
 */
export function quantileMs({ counts }: Pick<Histogram, "counts">, share: number): number | null {
    const num = numIn({ counts })
    if (num === 0) return null
    const rank = share * num
    let numBelow = 0
    for (const [bucket, count] of counts.entries()) {
        if (count > 0 && numBelow + count >= rank) return within(bucket, (rank - numBelow) / count)
        numBelow += count
    }
    return LAST_BOUND_MS
}

/** What lies at a share of the way through a bucket. The first one begins at zero, which has no logarithm. */
function within(bucket: number, share: number): number {
    const lowest = BOUNDS_MS[bucket - 1]
    const highest = BOUNDS_MS[bucket] ?? LAST_BOUND_MS
    if (lowest === undefined) return highest * share
    return lowest * (highest / lowest) ** share
}
