import type { JobChange, JobFilter } from "./api.ts"
import { fieldsOf } from "./body.ts"
import type { ActionSubject } from "./dashboard-options.ts"
import type { Permit } from "./permit.ts"
import { instantOf } from "./query.ts"
import type { Redaction } from "./redaction.ts"
import { forbidden } from "./refusal.ts"

/** What jobs can be looked for by, in a body and in an address. */
export const FILTERS = [
    "state",
    "definition",
    "channel",
    "key",
    "createdAfter",
    "createdBefore",
    "errorText",
    "payload",
    "reason",
    "finalizedAfter",
    "finalizedBefore",
]

const INSTANTS = ["createdAfter", "createdBefore", "finalizedAfter", "finalizedBefore"]

/** Reads the filter of a body. What its values have to be is for the inspector to check. */
export function filterIn(value: unknown): JobFilter {
    const fields = fieldsOf("`filter`", value, FILTERS)
    return withInstants(fields, INSTANTS) as JobFilter
}

/** Reads the change of a body. */
export function changeIn(value: unknown): JobChange {
    const fields = fieldsOf("`change`", value, ["action", "reason", "priority", "dueAt", "ratePerSecond"])
    return withInstants(fields, ["dueAt"]) as unknown as JobChange
}

/** What a filter is about. */
export function subjectOfFilter({ definition }: JobFilter): ActionSubject {
    return definition === undefined ? {} : { definition }
}

/**
 * Refuses to look for jobs by what those who ask may not see: whether there are any would tell.
 *
 * @throws Refusal with 403.
 */
export async function demandSearch(
    filter: JobFilter,
    { permit, redaction }: { permit: Permit; redaction: Redaction },
): Promise<void> {
    const { definition, payload, errorText } = filter
    if (definition !== undefined) await permit.demand("view", { definition })
    if (payload !== undefined) await permit.demand("view-payload", subjectOfFilter(filter))
    if (redaction.isOn && (payload !== undefined || errorText !== undefined))
        throw forbidden("where something is hidden, jobs cannot be looked for by it")
}

function withInstants(fields: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
    const instants = names
        .filter((name) => fields[name] !== undefined)
        .map((name) => [name, instantOf(name, fields[name])] as const)
    return { ...fields, ...Object.fromEntries(instants) }
}
