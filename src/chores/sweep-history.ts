import type { Core } from "../config.ts"
import { lacksPrivilege, lockNotAvailable } from "../db/failure.ts"
import { NUM_HISTORY_SLOTS } from "../schema/migrations/0001-create-tables.ts"
import {
    countSlot,
    deleteFromSlot,
    emptySlot,
    lockHistoryRing,
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
                numJobs += await empty(core, slot)
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
        if (ring === undefined || ring.openForMs < thresholdMs / (NUM_HISTORY_SLOTS - 2)) return
        if ((await countSlot({ run, schema, slot: ring.slot })) === 0) return
        const nextSlot = slotAfter(ring.slot)
        if ((await countSlot({ run, schema, slot: nextSlot })) > 0) return
        await openNextSlot({ run, schema, openSlot: ring.slot, nextSlot })
    })
}

/** Empties a slot. Returns how many jobs it held. */
async function empty(core: Core, slot: number): Promise<number> {
    const { schema, run, database } = core
    const numJobs = await countSlot({ run, schema, slot })
    if (numJobs === 0) return 0
    try {
        await database.transaction((transactionRun) => emptySlot({ run: transactionRun, schema, slot }))
    } catch (error) {
        // A reader has it: the next sweep will do.
        if (lockNotAvailable(error)) return 0
        if (!lacksPrivilege(error)) throw error
        for (let left = numJobs; left > 0; left -= DELETE_LIMIT) {
            await deleteFromSlot({ run, schema, slot, limit: DELETE_LIMIT })
        }
    }
    return numJobs
}
