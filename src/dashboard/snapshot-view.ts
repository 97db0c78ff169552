import type { Permit } from "./permit.ts"
import type { Redaction } from "./redaction.ts"
import type { Snapshot } from "./snapshots.ts"

/**
 * What somebody may see of what is live. Who may not see some definitions does not see their numbers and names; the sums
 * are those of all.
 */
export async function snapshotView(params: {
    snapshot: Snapshot
    permit: Permit
    redaction: Redaction
    numListeners: number
}) {
    const { snapshot, permit, redaction, numListeners } = params
    const { at, counts, workers, orchestrators, operations } = snapshot
    const mayViewPayloads = await permit.may("view-payload")
    const definitions = await permit.visible(counts.definitions, ({ definition }) => ({ definition }))
    return {
        at,
        counts: { ...counts, definitions },
        workers: await withVisibleNames(workers, permit),
        orchestrators: await withVisibleNames(orchestrators, permit),
        operations: operations.map((operation) => redaction.operation(operation, { mayViewPayloads })),
        numListeners,
    }
}

/** Daemons, without the names of definitions that somebody may not see. */
export async function withVisibleNames<Daemon extends { definitions: string[] }>(
    daemons: readonly Daemon[],
    permit: Permit,
): Promise<Daemon[]> {
    if (permit.isUnrestricted) return [...daemons]
    const names = [...new Set(daemons.flatMap(({ definitions }) => definitions))]
    const visible = new Set(await permit.visible(names, (definition) => ({ definition })))
    return daemons.map((daemon) => ({
        ...daemon,
        definitions: daemon.definitions.filter((name) => visible.has(name)),
    }))
}
