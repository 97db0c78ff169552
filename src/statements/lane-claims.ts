import { numberOrNull } from "../db/cell.ts"
import type { Row } from "../db/driver.ts"
import { byTurn, type ClaimedJob, toClaimedJob } from "./claim-jobs.ts"

/** A definition whose lanes a claim goes through. */
export interface VisitedDefinition {
    definitionID: number
    leaseID: number
    /** The claim goes through the lanes after this one, in their order; the empty text is before them all. */
    afterLane: string
}

/** How far a claim has come with a definition. */
export interface LaneProgress {
    definitionID: number
    /** Where the next claim is to go on: the empty text when this one has seen the last lane. */
    afterLane: string
    /** A lane has more than its share that could run now. */
    hasMore: boolean
    /** Another claim was under way, or had just ended: what could run may be more than we took. */
    isContended: boolean
    /** Milliseconds until a rate may leave more room than it does now; null where none is in the way. */
    nextReleaseMs: number | null
}

/** What a claim by lanes brought, and how far it has come with each definition. */
export interface ClaimedLanes {
    jobs: ClaimedJob[]
    progress: LaneProgress[]
}

/** The cells of progress in a row, behind those of a job: null in the row of one. */
export const NO_PROGRESS = /* sql */ `null, null, null, null`

/**
 * The cells of a job in a row of progress, which names its definition where jobs do: as many as `CLAIMED_COLUMNS`, and
 * null where they have what tells them apart.
 */
export const NO_JOB = /* sql */ `null, null, null, asked.definition_id, null, null, null, null, null, null, null, null, null, null`

const NUM_JOB_CELLS = NO_JOB.split(",").length

/** Reads the rows of a claim by lanes: those of jobs, and one for each definition of how far it has come. */
export function toLaneClaim(rows: readonly Row[]): ClaimedLanes {
    const isJob = (row: Row) => row[0] !== null
    return {
        jobs: rows.filter(isJob).map(toClaimedJob).sort(byTurn),
        progress: rows.filter((row) => !isJob(row)).map(toProgress),
    }
}

function toProgress(row: Row): LaneProgress {
    const [afterLane, hasMore, isContended, nextReleaseMs] = row.slice(NUM_JOB_CELLS)
    return {
        definitionID: Number(row[3]),
        afterLane: afterLane ?? "",
        hasMore: hasMore === "t",
        isContended: isContended === "t",
        nextReleaseMs: numberOrNull(nextReleaseMs),
    }
}
