import type { ClaimKey } from "../statements/query.ts"

/**
 * For each item whether it was recorded. When a job was lost and claimed anew by the same worker, both claims may be
 * settled together: then it is the later one that was recorded, since tokens only go up.
 */
export function ownOutcomes(items: readonly ClaimKey[], ids: ReadonlySet<number>): boolean[] {
    const outcomes = items.map(({ id }) => ids.has(id))
    const numRecorded = outcomes.reduce((sum, isRecorded) => sum + Number(isRecorded), 0)
    if (numRecorded === ids.size) return outcomes
    const latest = new Map<number, number>()
    for (const { id, token } of items) latest.set(id, Math.max(token, latest.get(id) ?? token))
    return items.map(({ id, token }) => ids.has(id) && latest.get(id) === token)
}
