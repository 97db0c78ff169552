import { insist } from "../servers/insist.ts"
import type { Fault, Scene } from "./fault.ts"
import { inTurn, jobTables, withStranger } from "./support.ts"

const MAINTENANCE_TARGET_MS = 2_000
/** REINDEX CONCURRENTLY waits for every transaction that is older, and a campaign has very old ones. */
const REINDEX_BOUND_MS = 10_000

export const MAINTENANCE_FAULTS: readonly Fault[] = [
    {
        name: "vacuum-full",
        weight: 1,
        isOutage: false,
        recoveryTargetMs: MAINTENANCE_TARGET_MS,
        inject: (scene) =>
            inTurn(async () => {
                const tables = await jobTables(scene)
                if (tables.length === 0) return undefined
                const table = scene.random.pick(tables)
                await withStranger(scene, "superuser", async (client) => {
                    await client.query("set lock_timeout = '5s'")
                    await client.query(`vacuum full ${table}`)
                })
                return { target: table }
            }),
    },
    {
        name: "reindex",
        weight: 1,
        isOutage: false,
        recoveryTargetMs: MAINTENANCE_TARGET_MS,
        inject: (scene) =>
            inTurn(async () => {
                const tables = await jobTables(scene)
                if (tables.length === 0) return undefined
                const table = scene.random.pick(tables)
                let detail = "done"
                try {
                    await withStranger(scene, "superuser", async (client) => {
                        await client.query(`set statement_timeout = ${REINDEX_BOUND_MS}`)
                        await client.query(`reindex table concurrently ${table}`)
                    })
                } catch (error) {
                    // Given up, as an administrator would; what it leaves behind is removed.
                    detail = `given up: ${error instanceof Error ? error.message : String(error)}`
                } finally {
                    await insist(() => dropInvalidIndexes(scene))
                }
                return { target: table, detail }
            }),
    },
    {
        name: "wrong-statistics",
        weight: 2,
        isOutage: false,
        recoveryTargetMs: MAINTENANCE_TARGET_MS,
        async inject(scene) {
            const tables = await jobTables(scene)
            if (tables.length === 0) return undefined
            const table = scene.random.pick(tables)
            const numRows = scene.random.pick([0, 1, 1_000_000_000])
            await scene.admin.query(
                `select pg_restore_relation_stats(
                    'schemaname', nspname::text, 'relname', relname::text,
                    'relpages', least($2::numeric, 10000000)::integer, 'reltuples', $2::real
                ) from pg_class join pg_namespace on pg_namespace.oid = relnamespace
                where pg_class.oid = $1::regclass`,
                [table, numRows],
            )
            await scene.pause(scene.random.between(...scene.durations.floodMs))
            await insist(() => scene.admin.query(`analyze ${table}`))
            return { target: table, detail: `${numRows} rows` }
        },
    },
    {
        name: "prepare-again",
        weight: 2,
        isOutage: false,
        recoveryTargetMs: MAINTENANCE_TARGET_MS,
        async inject(scene) {
            await scene.prepareAgain()
            return { target: "schema" }
        },
    },
]

async function dropInvalidIndexes({ admin, schema }: Scene): Promise<void> {
    const { rows } = await admin.query<{ name: string }>(
        `select indexrelid::regclass::text as name
        from pg_index join pg_class on pg_class.oid = indexrelid
        join pg_namespace on pg_namespace.oid = relnamespace
        where nspname = $1 and not indisvalid and relname ~ '_ccnew\\d*$'`,
        [schema],
    )
    for (const { name } of rows) await admin.query(`drop index concurrently if exists ${name}`)
}
