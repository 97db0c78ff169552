import type { Database } from "../db/database.ts"
import type { Run } from "../db/driver.ts"
import type { QuotedSchema } from "../db/identifier.ts"
import { createTables } from "./migrations/0001-create-tables.ts"
import { gates } from "./migrations/0002-gates.ts"
import { addCancelAndPause } from "./migrations/0003-cancel-and-pause.ts"
import { addRateWindows } from "./migrations/0004-add-rate-windows.ts"
import { addPriorities } from "./migrations/0005-priorities.ts"
import { createUniqueKeys } from "./migrations/0006-create-unique-keys.ts"
import { createSchedules } from "./migrations/0007-create-schedules.ts"
import { jobLimits } from "./migrations/0008-job-limits.ts"
import { retention } from "./migrations/0009-retention.ts"
import { createPausedKeys } from "./migrations/0010-create-paused-keys.ts"
import { countedJobs } from "./migrations/0011-counted-jobs.ts"
import { createThroughput } from "./migrations/0012-create-throughput.ts"
import { createDaemons } from "./migrations/0013-create-daemons.ts"

/** Every migration, oldest first. Append only: a released one never changes. */
const MIGRATIONS = [
    createTables,
    gates,
    addCancelAndPause,
    addRateWindows,
    addPriorities,
    createUniqueKeys,
    createSchedules,
    jobLimits,
    retention,
    createPausedKeys,
    countedJobs,
    createThroughput,
    createDaemons,
]

/** "cuck" as a number: the class of our advisory locks, apart from those of the application. */
const LOCK_CLASS = 0x6375636b

/** Migrations may wait for other processes that migrate, so they get longer than a statement of the hot path. */
const DEADLINE_MS = 120_000

/** Brings the schema up to this release, once, however many processes ask for it at the same time. */
export async function migrate(params: {
    database: Database
    schema: QuotedSchema
    name: string
}): Promise<void> {
    const { database, schema, name } = params
    const missing = async (run: Run) => {
        const applied = await appliedVersions({ run, schema })
        return MIGRATIONS.filter(({ version }) => !applied.has(version))
    }
    // A look first: a process whose role may not create anything can start on a schema that is up to date.
    if ((await missing(database.run)).length === 0) return
    await database.transaction(async (run) => {
        await run(/* sql */ `select pg_advisory_xact_lock($1::int, hashtext($2))`, [LOCK_CLASS, name])
        const existing = await run(/* sql */ `select 1 from pg_namespace where nspname = $1`, [name])
        if (existing.length === 0) await run(/* sql */ `create schema ${schema}`, [])
        const toApply = await missing(run)
        if (toApply.length === MIGRATIONS.length) await run(createLedger(schema), [])
        for (const migration of toApply) {
            for (const statement of migration.statements(schema)) await run(statement, [])
            await run(/* sql */ `insert into ${schema}.migration (version, name) values ($1, $2)`, [
                migration.version,
                migration.name,
            ])
        }
    }, DEADLINE_MS)
}

/** By the version of each, and not by the last one: those of two branches may come in either order. */
async function appliedVersions(params: { run: Run; schema: QuotedSchema }): Promise<Set<number>> {
    const ledger = await params.run(/* sql */ `select to_regclass($1) is not null`, [
        `${params.schema}.migration`,
    ])
    if (ledger[0]?.[0] !== "t") return new Set()
    const versions = await params.run(/* sql */ `select version from ${params.schema}.migration`, [])
    return new Set(versions.map(([version]) => Number(version)))
}

function createLedger(schema: QuotedSchema): string {
    return /* sql */ `create table ${schema}.migration (
        version integer primary key,
        name text not null,
        applied_at timestamptz not null default clock_timestamp()
    )`
}
