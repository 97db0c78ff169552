import type { Core } from "../config.ts"
import type { Run } from "../db/driver.ts"
import { lacksPrivilege, lockNotAvailable, wasTooLong } from "../db/failure.ts"
import { shrinking } from "../db/shrinking.ts"
import {
    DEFAULT_RING,
    HISTORY_RINGS,
    type HistoryRing,
    lockHistoryRing,
    longestKeptMs,
    openIntervalMs,
    openNextSlot,
    selectAgedSlots,
    slotAfter,
    spanOf,
} from "../statements/history-rings.ts"
import {
    countSlot,
    deleteFromSlot,
    emptySlot,
    estimateSlot,
    isSlotEmpty,
} from "../statements/history-slots.ts"
import type { Chore } from "./chore.ts"

/** Finalized jobs deleted in one statement, for a role that may not truncate. */
const DELETE_LIMIT = 5_000

/** Whoever is kept as its definition says is kept for so long: for those who look for what became of a job. */
const MIN_KEPT_MS = 60_000

/** How long jobs are kept whose definitions do not say. */
interface Thresholds {
    thresholdMs: number
    failedThresholdMs: number
}

/** A ring of history, and until when what is in it is kept. */
interface Sweep {
    core: Core
    ring: HistoryRing
    thresholds: Thresholds
}

/**
 * History is rings of slots. A slot is sealed after a part of the ring's threshold, and emptied whole once it has been
 * sealed for the threshold: no job goes early, and none costs anything to remove.
 */
export function sweepHistory(params: { cleanIntervalMs: number } & Thresholds): Chore {
    return {
        name: "sweep history",
        run: async ({ core, emit }) => {
            let numJobs = 0
            for (const ring of HISTORY_RINGS) numJobs += await sweepRing({ core, ring, thresholds: params })
            if (numJobs > 0) emit({ eventType: "orchestrator-finalized-job-sweep", numJobs })
            return params.cleanIntervalMs
        },
    }
}

/** Opens the next slot of a ring in time, and empties those that are old enough. Returns how many jobs they held. */
async function sweepRing(sweep: Sweep): Promise<number> {
    const { core, ring } = sweep
    const { run, schema } = core
    const thresholdMs = await thresholdOf(sweep, run)
    await openSlotInTime(sweep, thresholdMs)
    let numJobs = 0
    for (const slot of await selectAgedSlots({ run, schema, ring, thresholdMs }))
        numJobs += await empty({ ...sweep, slot })
    return numJobs
}

/**
 * For how long a slot stays sealed: as long as the longest of the definitions wants whose jobs may be in it. Where none
 * wants it any more, what is there is kept as if they had never said.
 */
async function thresholdOf({ core, ring, thresholds }: Sweep, run: Run): Promise<number> {
    const { thresholdMs, failedThresholdMs } = thresholds
    const spanMs = spanOf(ring)
    if (spanMs === undefined) return ring.id === DEFAULT_RING ? thresholdMs : failedThresholdMs
    const longestMs = await longestKeptMs({ run, schema: core.schema, ring })
    return Math.max(MIN_KEPT_MS, longestMs ?? Math.min(spanMs, Math.max(thresholdMs, failedThresholdMs)))
}

/** Seals the open slot when it has been open long enough and the next one is empty. */
async function openSlotInTime({ core, ring }: Sweep, thresholdMs: number): Promise<void> {
    const { schema, database } = core
    await database.transaction(async (run) => {
        const open = await lockHistoryRing({ run, schema, ring })
        // No row: another orchestrator is at it.
        if (open === undefined || open.openForMs < openIntervalMs(ring, thresholdMs)) return
        if (await isSlotEmpty({ run, schema, slot: open.slot })) return
        const nextSlot = slotAfter(ring, open.slot)
        if (!(await isSlotEmpty({ run, schema, slot: nextSlot }))) return
        await openNextSlot({ run, schema, ring, openSlot: open.slot, nextSlot })
    })
}

interface AgedSlot extends Sweep {
    slot: number
}

/** Empties a slot. Returns how many jobs it held, as `count` counts them. */
async function empty(aged: AgedSlot, count = countSlot): Promise<number> {
    const { core, slot } = aged
    const { schema } = core
    if (await isSlotEmpty({ run: core.run, schema, slot })) return 0
    let numJobs = 0
    try {
        // Counted under the lock: of two orchestrators that found jobs in it, one empties it.
        await whileAged(aged, async (run) => {
            numJobs = await count({ run, schema, slot })
            if (numJobs > 0) await emptySlot({ run, schema, slot })
        })
        return numJobs
    } catch (error) {
        // A reader has it: the next sweep will do.
        if (lockNotAvailable(error)) return 0
        if (lacksPrivilege(error)) return deleteAll(aged)
        // Counting may take longer than the role is allowed, which must not keep history from being removed.
        if (wasTooLong(error) && count === countSlot) return empty(aged, estimateSlot)
        throw error
    }
}

/** Empties a slot for a role that may not truncate. Returns how many jobs it deleted. */
async function deleteAll(aged: AgedSlot): Promise<number> {
    const { schema } = aged.core
    const inTime = shrinking(DELETE_LIMIT)
    let numJobs = 0
    let isDone = false
    while (!isDone) {
        await inTime(async (limit) => {
            let numDeleted = 0
            await whileAged(aged, async (run) => {
                numDeleted = await deleteFromSlot({ run, schema, slot: aged.slot, limit })
            })
            numJobs += numDeleted
            isDone = numDeleted < limit
        })
    }
    return numJobs
}

/**
 * Does work on a slot that is sealed and old enough. Another orchestrator may have emptied it and opened it again since
 * we looked, or a definition may want its jobs kept longer; while we have the ring locked, nobody opens a slot.
 */
function whileAged(aged: AgedSlot, work: (run: Run) => Promise<void>): Promise<void> {
    const { core, ring, slot } = aged
    const { schema } = core
    return core.database.transaction(async (run) => {
        if ((await lockHistoryRing({ run, schema, ring })) === undefined) return
        const thresholdMs = await thresholdOf(aged, run)
        if ((await selectAgedSlots({ run, schema, ring, thresholdMs })).includes(slot)) await work(run)
    })
}
