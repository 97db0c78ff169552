import { wasTooLong } from "./failure.ts"

/** How much more is tried after a step that was in time. */
const GROWTH = 1.25

/** Does a step, with as much to do at a time as it is given; repeats it with less. */
export type Shrinking = <T>(step: (limit: number) => Promise<T>) => Promise<T>

/** No less than such a part of the most is done at a time only because steps take longer than was aimed at. */
const LEAST_PART = 1 / 10

/**
 * Lets steps do up to `max` of something at a time. One that the server gives up as too long is repeated with half as
 * much, and the next ones begin there, and come back to more little by little. After one that took longer than `aimMs`, the
 * next does as much less.
 */
export function shrinking(max: number, { aimMs = Number.POSITIVE_INFINITY } = {}): Shrinking {
    const least = Math.ceil(max * LEAST_PART)
    let limit = max
    return async (step) => {
        for (;;) {
            const beganMs = performance.now()
            try {
                const result = await step(limit)
                const part = aimMs / Math.max(performance.now() - beganMs, 1)
                if (part >= 1) limit = Math.min(Math.ceil(limit * Math.min(part, GROWTH)), max)
                else limit = Math.max(Math.ceil(limit * part), Math.min(limit, least))
                return result
            } catch (error) {
                if (!wasTooLong(error) || limit === 1) throw error
                limit = Math.ceil(limit / 2)
            }
        }
    }
}
