import { jobID, listOf, wholeNumber } from "../options.ts"
import type { FoundGraph } from "../statements/job-graph.ts"
import { type JobReference, toReference } from "./job-details.ts"

/** Jobs that hang together by what waits for what. */
export interface JobGraph {
    /** The jobs, by their ids. */
    nodes: JobReference[]
    /** What waits for what: `from` is the job that is required, `to` the one that depends on it. */
    edges: { from: number; to: number }[]
    /** Whether these are all of them. */
    isWhole: boolean
}

/** Makes of what was found what is told. */
export function toJobGraph({ nodes, edges, isWhole }: FoundGraph): JobGraph {
    return { nodes: nodes.map(toReference), edges, isWhole }
}

/** How many jobs are told at once by their ids. */
const MAX_REFERENCES = 1_000

/**
 * Checks which jobs are asked for by their ids.
 *
 * @throws InvalidOptionError for none, too many, or what is no id.
 */
export function referredIDs(value: unknown): number[] {
    const ids = listOf({ option: "jobIDs", expected: "a list of ids of jobs", value, check: jobID })
    wholeNumber("jobIDs.length", ids.length, MAX_REFERENCES, 1)
    return [...new Set(ids)]
}
