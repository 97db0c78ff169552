import { insist } from "../servers/insist.ts"
import type { Fault, Scene } from "./fault.ts"
import { endSessions } from "./support.ts"

const SETTING_TARGET_MS = 2_000

/** Gives the role another default for a while, and makes all of its sessions take it. */
async function withRoleSetting(scene: Scene, setting: string, value: string) {
    try {
        // Two at the same time refuse each other.
        await insist(() => scene.admin.query(`alter role ${scene.role} set ${setting} = '${value}'`))
        await endSessions(scene.admin)
        await scene.pause(scene.random.between(...scene.durations.settingMs))
    } finally {
        await insist(async () => {
            await scene.admin.query(`alter role ${scene.role} reset ${setting}`)
            await endSessions(scene.admin)
        })
    }
    return { target: "role", detail: `${setting} = ${value}` }
}

export const SETTING_FAULTS: readonly Fault[] = [
    {
        name: "statement-timeout",
        weight: 2,
        isOutage: false,
        recoveryTargetMs: SETTING_TARGET_MS,
        inject: (scene) => withRoleSetting(scene, "statement_timeout", `${scene.random.integer(3, 60)}ms`),
    },
    {
        name: "lock-timeout",
        weight: 2,
        isOutage: false,
        recoveryTargetMs: SETTING_TARGET_MS,
        inject: (scene) => withRoleSetting(scene, "lock_timeout", `${scene.random.integer(1, 20)}ms`),
    },
    {
        name: "role-read-only",
        weight: 2,
        isOutage: true,
        recoveryTargetMs: SETTING_TARGET_MS,
        inject: (scene) => withRoleSetting(scene, "default_transaction_read_only", "on"),
    },
    {
        name: "server-read-only",
        weight: 2,
        isOutage: true,
        recoveryTargetMs: SETTING_TARGET_MS,
        // As at a failover: sessions live on, and everything that they try to write is refused.
        async inject(scene) {
            try {
                await scene.admin.query("alter system set default_transaction_read_only = on")
                await scene.admin.query("select pg_reload_conf()")
                await scene.pause(scene.random.between(...scene.durations.settingMs))
            } finally {
                await insist(async () => {
                    await scene.admin.query("alter system reset default_transaction_read_only")
                    await scene.admin.query("select pg_reload_conf()")
                })
            }
            return { target: "server" }
        },
    },
]
