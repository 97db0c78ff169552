import { wasTooLong } from "./failure.ts"

/** How much more is tried after a step that was in time. */
const GROWTH = 1.25

/** Does a step, with as much to do at a time as it is given; repeats it with less. */
export type Shrinking = <T>(step: (limit: number) => Promise<T>) => Promise<T>

/**
 * Lets steps do up to `max` of something at a time. One that the server gives up as too long is repeated with half as
 * much, and the next ones begin there, and come back to more little by little.
 */
export function shrinking(max: number): Shrinking {
    let limit = max
    return async (step) => {
        for (;;) {
            try {
                const result = await step(limit)
                limit = Math.min(Math.ceil(limit * GROWTH), max)
                return result
            } catch (error) {
                if (!wasTooLong(error) || limit === 1) throw error
                limit = Math.ceil(limit / 2)
            }
        }
    }
}
