import type { Fault, Scene } from "./fault.ts"
import { inTurn, jobTables, withStranger } from "./support.ts"

const LOCK_TARGET_MS = 2_000

/** Runs statements in a transaction of a stranger's, and rolls it back after a while. */
async function occupy(
    scene: Scene,
    params: { statements: readonly string[]; begin?: string; forMs: number; target: string },
) {
    const sinceMs = performance.now()
    await withStranger(scene, "superuser", async (client) => {
        // Who waits for a lock makes all others wait behind: no longer than it is then held.
        await client.query(`set lock_timeout = '${Math.ceil(params.forMs)}ms'`)
        await client.query(params.begin ?? "begin")
        for (const statement of params.statements) await client.query(statement)
        await scene.pause(params.forMs)
        await client.query("rollback")
    })
    return { target: params.target, detail: `${Math.round(performance.now() - sinceMs)} ms` }
}

export const LOCK_FAULTS: readonly Fault[] = [
    {
        name: "table-locked",
        weight: 2,
        isOutage: true,
        recoveryTargetMs: LOCK_TARGET_MS,
        inject: (scene) =>
            inTurn(async () => {
                const [table] = await jobTables(scene)
                if (table === undefined) return undefined
                return occupy(scene, {
                    statements: [`lock table ${table} in access exclusive mode`],
                    forMs: scene.random.between(...scene.durations.lockMs),
                    target: table,
                })
            }),
    },
    {
        name: "rows-locked",
        weight: 3,
        isOutage: false,
        recoveryTargetMs: LOCK_TARGET_MS,
        async inject(scene) {
            const [table] = await jobTables(scene)
            if (table === undefined) return undefined
            const count = scene.random.integer(1, 10)
            return occupy(scene, {
                // Skipping what others hold: a stranger that waits for several rows would make deadlocks of its own.
                statements: [
                    `select from ${table} tablesample system (50) limit ${count} for update skip locked`,
                ],
                forMs: scene.random.between(...scene.durations.lockMs),
                target: table,
            })
        },
    },
    {
        name: "old-snapshot",
        weight: 1,
        isOutage: false,
        isBackground: true,
        recoveryTargetMs: LOCK_TARGET_MS,
        async inject(scene) {
            const [table] = await jobTables(scene)
            if (table === undefined) return undefined
            return occupy(scene, {
                begin: "begin isolation level repeatable read",
                statements: [`select count(*) from ${table}`],
                forMs: scene.random.between(...scene.durations.snapshotMs),
                target: "server",
            })
        },
    },
    {
        name: "idle-listener",
        weight: 1,
        isOutage: false,
        isBackground: true,
        recoveryTargetMs: LOCK_TARGET_MS,
        // It hears nothing while its transaction is open, so the queue of notifications cannot be shortened.
        inject: (scene) =>
            withStranger(scene, "foreign", async (client) => {
                await client.query("listen chaos")
                await client.query("begin")
                await client.query("select pg_current_xact_id()")
                await scene.pause(scene.random.between(...scene.durations.snapshotMs))
                await client.query("rollback")
                return { target: "server" }
            }),
    },
]
