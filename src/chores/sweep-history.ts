import type { Core } from "../config.ts"
import type { Run } from "../db/driver.ts"
import { lacksPrivilege, lockNotAvailable, wasTooLong } from "../db/failure.ts"
import { shrinking } from "../db/shrinking.ts"
import {
    countSlot,
    deleteFromSlot,
    emptySlot,
    estimateSlot,
    isSlotEmpty,
    lockHistoryRing,
    openIntervalMs,
    openNextSlot,
    selectAgedSlots,
    slotAfter,
} from "../statements/history.ts"
import type { Chore } from "./chore.ts"

/** Finalized jobs deleted in one statement, for a role that may not truncate. */
const DELETE_LIMIT = 5_000

/**
 * History is a ring of slots. A slot is sealed after a tenth of the threshold, and emptied whole once it has been
 * sealed for the threshold: no job goes early, and none costs anything to remove.
 */
export function sweepHistory(params: { cleanIntervalMs: number; thresholdMs: number }): Chore {
    const { cleanIntervalMs, thresholdMs } = params
    return {
        name: "sweep history",
        run: async ({ core, emit }) => {
            await openSlotInTime(core, thresholdMs)
            const { run, schema } = core
            let numJobs = 0
            for (const slot of await selectAgedSlots({ run, schema, thresholdMs }))
                numJobs += await empty({ core, slot, thresholdMs })
            if (numJobs > 0) emit({ eventType: "orchestrator-finalized-job-sweep", numJobs })
            return cleanIntervalMs
        },
    }
}

/** Seals the open slot when it has been open long enough and the next one is empty. */
async function openSlotInTime(core: Core, thresholdMs: number): Promise<void> {
    const { schema, database } = core
    await database.transaction(async (run) => {
        const ring = await lockHistoryRing({ run, schema })
        // No row: another orchestrator is at it.
        if (ring === undefined || ring.openForMs < openIntervalMs(thresholdMs)) return
        if (await isSlotEmpty({ run, schema, slot: ring.slot })) return
        const nextSlot = slotAfter(ring.slot)
        if (!(await isSlotEmpty({ run, schema, slot: nextSlot }))) return
        await openNextSlot({ run, schema, openSlot: ring.slot, nextSlot })
    })
}

interface AgedSlot {
    core: Core
    slot: number
    thresholdMs: number
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
 * we looked; while we have the ring locked, nobody can.
 */
function whileAged(aged: AgedSlot, work: (run: Run) => Promise<void>): Promise<void> {
    const { core, slot, thresholdMs } = aged
    const { schema } = core
    return core.database.transaction(async (run) => {
        if ((await lockHistoryRing({ run, schema })) === undefined) return
        if ((await selectAgedSlots({ run, schema, thresholdMs })).includes(slot)) await work(run)
    })
}
