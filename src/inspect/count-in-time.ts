import type { Run } from "../db/driver.ts"
import { wasTooLong } from "../db/failure.ts"
import type { QuotedSchema } from "../db/identifier.ts"
import { countJobs } from "../statements/count-jobs.ts"
import { type Counts, toCounts } from "./counts.ts"

/**
 * How many rows a count looks at: of each state, or of each state when that took too long, and how many times as many ready
 * jobs of all definitions together.
 */
const MAX_OTHERS = 10_000
const FEW_OTHERS = 1_000
const READY_FACTOR = 4

/** Counts jobs; where that takes too long, fewer of them. */
export async function countInTime(params: {
    schema: QuotedSchema
    lookOn: <T>(work: (run: Run) => Promise<T>) => Promise<T>
}): Promise<Counts> {
    const countWithin = async (numOthers: number) => {
        const bounds = { numReady: numOthers * READY_FACTOR, numOthers, numEdges: numOthers / 2 }
        const { schema } = params
        return toCounts(await params.lookOn((run) => countJobs({ run, schema, bounds })), bounds)
    }
    try {
        return await countWithin(MAX_OTHERS)
    } catch (error) {
        if (!wasTooLong(error)) throw error
        return countWithin(FEW_OTHERS)
    }
}
