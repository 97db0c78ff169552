import type { QuotedSchema } from "../db/identifier.ts"

/** Where schedules are: with the definitions that repeat, or in a table of their own. */
export type RepeatSource = "job_definition" | "schedule"

/** What differs between the two, as SQL about a row of them. */
export interface RepeatColumns {
    readonly table: (schema: QuotedSchema) => string
    /** The definition of the jobs. */
    readonly definitionID: string
    readonly payload: string
    readonly scheduleName: string
    /** Whether the row is the caller's to fire: `$1` are the ids that are. */
    readonly isMine: string
    /** Whether its tick has come. */
    readonly isDue: string
}

export const REPEAT_COLUMNS: Readonly<Record<RepeatSource, RepeatColumns>> = {
    job_definition: {
        table: (schema) => /* sql */ `${schema}.job_definition`,
        definitionID: "id",
        payload: /* sql */ `'{}'::json`,
        scheduleName: /* sql */ `null::text`,
        isMine: /* sql */ `id = any($1::bigint[])`,
        // Releases before cron expressions take the tick away from a definition that has one.
        isDue: /* sql */ `(next_repeat_at <= statement_timestamp() or next_repeat_at is null and repeat_cron is not null)`,
    },
    schedule: {
        table: (schema) => /* sql */ `${schema}.schedule`,
        definitionID: "definition_id",
        payload: "payload",
        scheduleName: "name",
        isMine: /* sql */ `$1::bigint[] is not null`,
        isDue: /* sql */ `next_repeat_at <= statement_timestamp() and paused_at is null`,
    },
}
