import type { Core } from "./core.ts"
import { finalizeFailed } from "./finalize.ts"
import type { HintKind } from "./hints.ts"
import { type CancelledJob, cancellationRecord } from "./statements/cancel-jobs.ts"

/**
 * Sees to jobs whose cancellation is committed: finalizes those that do not run, and has workers told of the others. What
 * fails here a daemon sees to.
 */
export async function finalizeCancelled(core: Core, cancelled: readonly CancelledJob[]): Promise<void> {
    await finalize(
        core,
        cancelled.filter((job) => !job.isRunning),
    )
    for (const { kind, channel } of hintsAbout(cancelled))
        if (kind === "cancel") core.hints.announce(kind, channel)
}

/** Finalizes jobs that are to end in any case: a daemon sees to those that we cannot finalize now. */
async function finalize(core: Core, cancelled: readonly CancelledJob[]): Promise<void> {
    if (cancelled.length === 0) return
    const numLeft = await finalizeFailed({
        core,
        jobs: cancelled.map((job) => ({ ...job, error: cancellationRecord(job) })),
        reason: "cancelled",
        onFinalized: () => undefined,
    }).catch(() => cancelled.length)
    if (numLeft > 0) core.hints.announce("look")
}

/** Whom to tell: workers of a running job's channel that they are to end it, of any other's that it is to be finalized. */
export function hintsAbout(cancelled: readonly CancelledJob[]): { kind: HintKind; channel: string }[] {
    const hints = new Map<string, { kind: HintKind; channel: string }>()
    for (const { isRunning, channel } of cancelled) {
        const hint = { kind: isRunning ? "cancel" : "look", channel } as const
        hints.set(`${hint.kind} ${channel}`, hint)
    }
    return [...hints.values()]
}
