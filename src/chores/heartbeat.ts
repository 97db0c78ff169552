import { heartbeatDefinitions } from "../statements/definitions.ts"
import type { Chore } from "./chore.ts"

/** Vouches for the Config's definitions, so that they are not taken for stale nor their jobs for orphans. */
export function heartbeat(heartbeatIntervalMs: number): Chore {
    return {
        name: "heartbeat",
        run: async ({ core, emit }) => {
            const { run, schema, registry } = core
            const names = new Map<number, string>()
            for (const job of registry.jobs()) names.set(await registry.idOf(job), job.name)
            if (names.size === 0) return heartbeatIntervalMs
            const ids = new Set(await heartbeatDefinitions({ run, schema, ids: [...names.keys()] }))
            const missing = [...names].filter(([id]) => !ids.has(id))
            for (const [, name] of missing) registry.forget(name)
            emit({ eventType: "orchestrator-heartbeat", jobNames: [...names.values()] })
            return missing.length > 0 ? 0 : heartbeatIntervalMs
        },
    }
}
