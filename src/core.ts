import type { Database } from "./db/database.ts"
import type { Run } from "./db/driver.ts"
import type { QuotedSchema } from "./db/identifier.ts"
import type { Enqueuer } from "./enqueuer.ts"
import type { Hints } from "./hints.ts"
import type { JobCounter } from "./job-counter.ts"
import type { JobLogs } from "./job-logs.ts"
import type { Registry } from "./registry.ts"

/** What the rest of the library reaches through a Config. */
export interface Core {
    readonly database: Database
    readonly schema: QuotedSchema
    readonly schemaName: string
    readonly maxPayloadBytes: number
    readonly registry: Registry
    readonly hints: Hints
    readonly enqueuer: Enqueuer
    readonly counter: JobCounter
    readonly logs: JobLogs
    /** Runs one statement. */
    readonly run: Run
}
