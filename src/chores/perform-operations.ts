import { randomUUID } from "node:crypto"
import type { OrchestratorOperationEnd } from "../events.ts"
import { type EndedOperation, newPace, performSlice } from "../operate/operation-run.ts"
import type { Chore } from "./chore.ts"

/** How often to look for operations where nobody told of one. */
const EVERY_MS = 2_000

/** Performs what was submitted by `Inspector#changeAll`, a few chunks at a time: other chores come in between. */
export function performOperations(): Chore {
    const holder = randomUUID()
    const pace = newPace()
    return {
        name: "perform operations",
        heeds: "operation",
        run: async ({ core, emit }) => {
            const onEnd = (ended: EndedOperation) => emit(eventOf(ended))
            return (await performSlice({ core, holder, pace, onEnd })) ? 0 : EVERY_MS
        },
    }
}

function eventOf({ id, kind, by, numDone, numSkipped, error }: EndedOperation): OrchestratorOperationEnd {
    return {
        eventType: "orchestrator-operation-end",
        operationID: id,
        kind,
        by,
        numJobs: numDone,
        numSkipped,
        error,
    }
}
