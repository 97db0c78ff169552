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
import { createOperations } from "./migrations/0014-create-operations.ts"
import { createJobLogs } from "./migrations/0015-create-job-logs.ts"

/** Every migration, oldest first. Append only: a released one never changes. */
export const MIGRATIONS = [
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
    createOperations,
    createJobLogs,
]

/** "cuck" as a number: the class of our advisory locks, apart from those of the application. */
const LOCK_CLASS = 0x6375636b

/** Migrations may wait for other processes that migrate, so they get longer than a statement of the hot path. */
const DEADLINE_MS = 120_000

/** A migration that this release has, or that the database has had applied. */
export interface MigrationState {
    version: number
    name: string
    /** Milliseconds since 1970; null for one that is missing. */
    appliedAtMs: number | null
    isKnown: boolean
}

/** Brings the schema up to this release, once, however many processes ask for it at the same time. */
export async function migrate(params: {
    database: Database
    schema: QuotedSchema
    name: string
}): Promise<void> {
    const { database, schema, name } = params
    // A look first: a process whose role may not create anything can start on a schema that is up to date.
    if ((await missingMigrations({ run: database.run, schema })).length === 0) return
    await database.transaction(async (run) => {
        await run(/* sql */ `select pg_advisory_xact_lock($1::int, hashtext($2))`, [LOCK_CLASS, name])
        const existing = await run(/* sql */ `select 1 from pg_namespace where nspname = $1`, [name])
        if (existing.length === 0) await run(/* sql */ `create schema ${schema}`, [])
        const toApply = await missingMigrations({ run, schema })
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

/** What `migrate` would do, as text for those who apply it themselves; empty when nothing is missing. */
export async function migrationText(params: {
    run: Run
    schema: QuotedSchema
    name: string
}): Promise<string> {
    const { schema, name } = params
    const toApply = await missingMigrations(params)
    if (toApply.length === 0) return ""
    const lockKey = literal(name)
    const isNew = toApply.length === MIGRATIONS.length
    const statements = [
        "begin",
        // The same lock, so that a process that prepares the schema meanwhile waits, and finds it done.
        /* sql */ `select pg_advisory_xact_lock(${LOCK_CLASS}, hashtext(${lockKey}))`,
        ...(isNew ? [/* sql */ `create schema if not exists ${schema}`, createLedger(schema)] : []),
        ...toApply.flatMap((migration) => {
            const label = literal(migration.name)
            return [
                ...migration.statements(schema),
                /* sql */ `insert into ${schema}.migration (version, name) values (${migration.version}, ${label})`,
            ]
        }),
        "commit",
    ]
    return statements.map((statement) => `${withoutMargin(statement)};\n`).join("\n")
}

/** All migrations, by their versions: those of this release, and those of other ones that the database has. */
export async function migrationStates(params: { run: Run; schema: QuotedSchema }): Promise<MigrationState[]> {
    const applied = await appliedMigrations(params)
    const known = MIGRATIONS.map(({ version, name }) => ({
        version,
        name,
        appliedAtMs: applied.get(version)?.appliedAtMs ?? null,
        isKnown: true,
    }))
    const versions = new Set(known.map(({ version }) => version))
    const others = [...applied].filter(([version]) => !versions.has(version))
    return [
        ...known,
        ...others.map(([version, { name, appliedAtMs }]) => ({ version, name, appliedAtMs, isKnown: false })),
    ].sort((a, b) => a.version - b.version)
}

async function missingMigrations(params: { run: Run; schema: QuotedSchema }): Promise<typeof MIGRATIONS> {
    const applied = await appliedMigrations(params)
    return MIGRATIONS.filter(({ version }) => !applied.has(version))
}

/** By the version of each, and not by the last one: those of two branches may come in either order. */
async function appliedMigrations(params: {
    run: Run
    schema: QuotedSchema
}): Promise<Map<number, { name: string; appliedAtMs: number }>> {
    const ledger = await params.run(/* sql */ `select to_regclass($1) is not null`, [
        `${params.schema}.migration`,
    ])
    if (ledger[0]?.[0] !== "t") return new Map()
    const rows = await params.run(
        /* sql */ `select version, name, date_part('epoch', applied_at) * 1000::double precision
            from ${params.schema}.migration`,
        [],
    )
    return new Map(
        rows.map(([version, name, appliedAtMs]) => [
            Number(version),
            { name: name ?? "", appliedAtMs: Number(appliedAtMs) },
        ]),
    )
}

function createLedger(schema: QuotedSchema): string {
    return /* sql */ `create table ${schema}.migration (
        version integer primary key,
        name text not null,
        applied_at timestamptz not null default clock_timestamp()
    )`
}

function literal(text: string): string {
    return `'${text.replaceAll("'", "''")}'`
}

/** Without the spaces that a statement is indented by in its source. */
function withoutMargin(statement: string): string {
    const lines = statement.split("\n")
    const margin = lines.at(-1)?.match(/^ */)?.[0].length ?? 0
    return lines
        .map((line, index) => (index === 0 ? line : line.replace(new RegExp(`^ {0,${margin}}`), "")))
        .join("\n")
}
