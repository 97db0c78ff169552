import { statementText } from "../db/identifier.ts"
import type { Limits } from "../gate.ts"
import { ms } from "./inspect-job.ts"
import { pausedDefinitions } from "./pauses.ts"
import type { Query } from "./query.ts"

/** A definition as those see it who look on. Instants are milliseconds since 1970. */
export interface InspectedDefinition {
    name: string
    channel: string
    numAttempts: number
    priority: number
    timeoutIntervalMs: number
    lockIntervalMs: number
    releaseIntervalMs: number
    nextReleaseAtMs: number | null
    limits: Limits | null
    repeatIntervalMs: number | null
    repeatCron: string | null
    repeatTimeZone: string | null
    onMissed: string
    onOverlap: string
    nextRepeatAtMs: number | null
    keepSucceededMs: number | null
    keepFailedMs: number | null
    isPaused: boolean
    numPausedKeys: number
    heartbeatAtMs: number
    createdAtMs: number
    retiredAtMs: number | null
}

const text = statementText(
    (schema) => /* sql */ `-- cuckmq: inspect-definitions
select pg_catalog.jsonb_build_object(
    'name', name, 'channel', channel, 'numAttempts', num_attempts, 'priority', priority,
    'timeoutIntervalMs', timeout_interval_ms, 'lockIntervalMs', lock_interval_ms,
    'releaseIntervalMs', release_interval_ms, 'nextReleaseAtMs', ${ms("next_release_at")}, 'limits', limits,
    'repeatIntervalMs', repeat_interval_ms, 'repeatCron', repeat_cron, 'repeatTimeZone', repeat_time_zone,
    'onMissed', on_missed, 'onOverlap', on_overlap, 'nextRepeatAtMs', ${ms("next_repeat_at")},
    'keepSucceededMs', keep_succeeded_ms, 'keepFailedMs', keep_failed_ms,
    'isPaused', id = any(${pausedDefinitions(schema)}),
    'numPausedKeys', (select count(*) from ${schema}.paused_key where paused_key.definition = job_definition.name),
    'heartbeatAtMs', ${ms("heartbeat_at")}, 'createdAtMs', ${ms("created_at")}, 'retiredAtMs', ${ms("retired_at")}
)::text
from ${schema}.job_definition
order by name`,
)

/** All definitions, by name. */
export async function inspectDefinitions({ run, schema }: Query): Promise<InspectedDefinition[]> {
    return (await run(text(schema), [])).map(([json]) => JSON.parse(json ?? "{}") as InspectedDefinition)
}
