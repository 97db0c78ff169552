import type { Operation } from "../index.ts"
import type { Context } from "./command.ts"
import { EXIT } from "./exit.ts"
import { instant } from "./format.ts"
import { type Cell, type Colour, paint } from "./look.ts"

const INTERVAL_MS = 500

const COLOURS: Record<Operation["state"], Colour | null> = {
    waiting: "yellow",
    running: "blue",
    done: "green",
    cancelled: "dim",
    failed: "red",
}

/** The state of an operation, in its colour. */
export function operationState({ state }: Operation): Cell {
    return paint(COLOURS[state], state)
}

/** How far an operation is, in words. */
export function progressText({ progress }: Operation): string {
    const { numLookedAt, numDone, numSkipped, numExpected } = progress
    if (numLookedAt === 0 && (numExpected ?? 0) === 0) return "-"
    const of = numExpected === null ? "" : ` of ${numExpected}`
    return `${numDone}${of}${numSkipped === 0 ? "" : `, ${numSkipped} skipped`}`
}

/** What an operation is about, as JSON. */
export function aboutText({ target, details }: Operation): string {
    return JSON.stringify({ ...target, ...details })
}

/** Everything about an operation. */
export function operationFields(operation: Operation): (readonly [string, Cell])[] {
    const { operationID, kind, by, at, target, details, startedAt, endedAt, cancelledBy, error } = operation
    return [
        ["operation", operationID],
        ["kind", kind],
        ["by", by ?? "-"],
        ["at", instant(at)],
        ["target", JSON.stringify(target)],
        ["details", JSON.stringify(details)],
        ["state", operationState(operation)],
        ["jobs", progressText(operation)],
        ["started", instant(startedAt)],
        ["ended", instant(endedAt)],
        ...(cancelledBy === null ? [] : [["cancelled by", cancelledBy] as const]),
        ...(error === null ? [] : [["error", error] as const]),
    ]
}

/** Follows an operation to its end, and says on stderr how far it is. Returns what the process ends with. */
export async function followOperation(context: Context, operation: Operation): Promise<number> {
    const { out, io, queue } = context
    const { inspector } = await queue()
    let last = ""
    let found: Operation = operation
    while (found.endedAt === null && !io.signal.aborted) {
        await io.wait(INTERVAL_MS)
        found = (await inspector.operation(operation.operationID)) ?? found
        const text = `operation ${found.operationID} ${found.state}: ${progressText(found)}`
        if (text !== last) out.note(text)
        last = text
    }
    if (found.endedAt === null) return EXIT.interrupted
    out.show(found, (look) => look.fields(operationFields(found)))
    return found.state === "done" ? EXIT.ok : EXIT.problem
}

/** Says so where nobody is there to perform an operation. */
export async function noteOrchestrators({ out, queue }: Context): Promise<void> {
    const { inspector } = await queue()
    if ((await inspector.orchestrators()).some(({ isLive }) => isLive)) return
    out.note("no orchestrator lives: the operation waits until one is started")
}
