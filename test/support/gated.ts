import { coreOf } from "../../src/config.ts"
import { quoteSchema } from "../../src/db/identifier.ts"
import { isHoldingBack } from "../../src/gate.ts"
import { claimGatedJobs } from "../../src/statements/claim-gated-jobs.ts"
import { claimGroupedJobs } from "../../src/statements/claim-grouped-jobs.ts"
import { ensureGates } from "../../src/statements/gates.ts"
import { openLease } from "../../src/statements/leases.ts"
import type { Query } from "../../src/statements/query.ts"
import type { AnyPayload } from "./define.ts"
import type { Queue } from "./with-schema.ts"

/** So many jobs to defer. */
export const times = (num: number, payload: AnyPayload = {}) =>
    Array.from({ length: num }, () => ({ payload }))

/** Counts what runs at the same time, of each key. */
export function makeCensus() {
    const now = new Map<string, number>()
    const most = new Map<string, number>()
    const visit = async (payload: AnyPayload, ms = 3) => {
        const key = String(payload.key)
        const num = (now.get(key) ?? 0) + 1
        now.set(key, num)
        most.set(key, Math.max(num, most.get(key) ?? 0))
        await new Promise((resolve) => setTimeout(resolve, ms))
        now.set(key, (now.get(key) ?? 0) - 1)
    }
    return { visit, most }
}

/** Claims jobs of the one definition of a queue, as a worker would, under a lease of its own. */
export async function claimIn(
    queue: Queue,
    {
        run: claiming = coreOf(queue.config).run,
        limit = 10,
        afterLane = "",
        change = (text) => text,
    }: Claiming = {},
) {
    const schema = quoteSchema(queue.schemaName)
    const { run, registry } = coreOf(queue.config)
    const [definition] = registry.jobs()
    const definitionID = definition === undefined ? 0 : await registry.idOf(definition)
    await ensureGates({ run, schema, definitionIDs: [definitionID] })
    const leaseID = await openLease({ run, schema, worker: "w", intervalMs: 60_000 })
    const { concurrency = null, rate = null, isOrdered = false } = definition?.gate ?? {}
    const definitions = [{ definitionID, leaseID, afterLane, concurrency, rate, isOrdered }]
    const claim = isHoldingBack(definition?.gate ?? null) ? claimGatedJobs : claimGroupedJobs
    const { jobs, progress } = await claim({
        run: (text, values) => claiming(change(text), values),
        schema,
        definitions,
        limit,
        maxLanes: 100,
    })
    return { jobs, keys: jobs.map(({ payload }) => JSON.parse(payload).key), ...progress[0] }
}

interface Claiming {
    run?: Query["run"]
    limit?: number
    afterLane?: string
    change?: (text: string) => string
}
