import type { Core } from "../config.ts"
import { type Shrinking, shrinking } from "../db/shrinking.ts"
import type { Count } from "../inspect/counts.ts"
import { isBeyond } from "../inspect/job-list.ts"
import { firstIDSince } from "../statements/first-id-since.ts"
import { countFittingJobs } from "../statements/list-jobs.ts"
import { lookOn } from "../statements/look-on.ts"
import type { ChangeQuery } from "./change-options.ts"

/** How many jobs a count looks through in one statement, and how many of those that have their payloads read for it. */
const MAX_LOOKS = 20_000
const MAX_PAYLOAD_LOOKS = 5_000

/** The first statement looks through such a part of them, to see how long that takes. */
const FIRST_PART = 1 / 20

/** Counts the jobs that fit, for so long: each statement looks through as many as there is time for, by the one before. */
export async function countFitting(params: {
    core: Core
    query: ChangeQuery
    countMs: number
}): Promise<Count> {
    const { core, countMs } = params
    const { source, filter, startMs } = params.query
    const { database, schema } = core
    const max = filter.payload === null ? MAX_LOOKS : MAX_PAYLOAD_LOOKS
    const few = max * FIRST_PART
    const inTime: Shrinking = shrinking(max)
    const endMs = performance.now() + countMs
    let num = 0
    let numPlanned = few
    let afterID: number | null = await firstIDOf(core, startMs)
    do {
        const from: number = afterID
        const beganMs = performance.now()
        const look = await inTime((most) => {
            const numLooks = Math.min(most, numPlanned)
            const told = { schema, source, filter, numLooks, afterID: from }
            return lookOn(database, (run) => countFittingJobs({ run, ...told }))
        })
        num += look.num
        const isEnd = look.next === null || isBeyond(filter, "asc", look.next.createdAtMs)
        afterID = isEnd ? null : (look.next?.id ?? null)
        const nowMs = performance.now()
        numPlanned = planned({ numPlanned, tookMs: nowMs - beganMs, leftMs: endMs - nowMs, few, max })
    } while (afterID !== null && performance.now() < endMs)
    return { num, isExact: afterID === null }
}

/** As many as would take what is left, but some, lest there be no end of statements, and not too many. */
function planned(of: {
    numPlanned: number
    tookMs: number
    leftMs: number
    few: number
    max: number
}): number {
    const numInTime = Math.floor((of.numPlanned * of.leftMs) / Math.max(of.tookMs, 1))
    return Math.max(of.few, Math.min(numInTime, of.max))
}

/** The id behind which the jobs begin that were deferred at an instant or later. */
export async function firstIDOf({ database, schema }: Core, startMs: number | null): Promise<number> {
    if (startMs === null) return 0
    return (await lookOn(database, (run) => firstIDSince({ run, schema, sinceMs: startMs }))) - 1
}
