import pg from "pg"
import { MAX_CONNECTIONS } from "../servers/cluster.ts"
import { addressOf, FOREIGN_ROLE } from "../servers/role.ts"
import type { Fault, Scene } from "./fault.ts"
import { endSessions } from "./support.ts"

/** A pool makes a new connection as soon as it needs one. */
const SESSION_TARGET_MS = 2_000

/** Ends or cancels what a random session does, one to ten times a second. */
async function storm(scene: Scene, act: "pg_terminate_backend" | "pg_cancel_backend") {
    const ms = scene.random.between(...scene.durations.stormMs)
    const rate = scene.random.between(1, 10)
    const untilMs = performance.now() + ms
    const condition = act === "pg_cancel_backend" ? "and state <> 'idle'" : ""
    let numHit = 0
    while (performance.now() < untilMs) {
        const { rowCount } = await scene.admin.query(
            `select ${act}(pid) from (
                select pid from pg_stat_activity where usename = $1 ${condition} order by random() limit 1
            ) as victim`,
            [scene.role],
        )
        numHit += rowCount ?? 0
        await scene.pause(1_000 / rate)
    }
    return numHit === 0 ? undefined : { target: "sessions", detail: `${numHit} times` }
}

export const SESSION_FAULTS: readonly Fault[] = [
    {
        name: "terminate-sessions",
        weight: 3,
        isOutage: false,
        recoveryTargetMs: SESSION_TARGET_MS,
        inject: (scene) => storm(scene, "pg_terminate_backend"),
    },
    {
        name: "cancel-statements",
        weight: 3,
        isOutage: false,
        recoveryTargetMs: SESSION_TARGET_MS,
        inject: (scene) => storm(scene, "pg_cancel_backend"),
    },
    {
        name: "terminate-listeners",
        weight: 2,
        isOutage: false,
        recoveryTargetMs: SESSION_TARGET_MS,
        async inject({ admin, role }) {
            const { rowCount } = await admin.query(
                `select pg_terminate_backend(pid) from pg_stat_activity
                where usename = $1 and query ~* '^\\s*listen'`,
                [role],
            )
            return rowCount ? { target: "listeners", detail: `${rowCount} sessions` } : undefined
        },
    },
    {
        name: "connection-flood",
        weight: 2,
        isOutage: false,
        recoveryTargetMs: SESSION_TARGET_MS,
        inject: (scene) => flood(scene, scene.random.integer(2, 6)),
    },
    {
        name: "connections-exhausted",
        weight: 2,
        isOutage: true,
        recoveryTargetMs: SESSION_TARGET_MS,
        inject: (scene) => flood(scene, 0),
    },
]

/** Idle connections of others until so many are left. When none are, the peer has to try and to be refused. */
async function flood(scene: Scene, numLeft: number) {
    const connectionString = addressOf({
        role: FOREIGN_ROLE,
        port: Number(new URL(scene.server.connectionString).port),
    })
    const clients: pg.Client[] = []
    try {
        if (numLeft === 0) await endSessions(scene.admin)
        for (let i = 0; i < MAX_CONNECTIONS; i++) {
            const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2_000 })
            client.on("error", () => undefined)
            try {
                await client.connect()
            } catch {
                break
            }
            clients.push(client)
        }
        await Promise.all(clients.splice(0, numLeft).map((client) => client.end().catch(() => undefined)))
        await scene.pause(scene.random.between(...scene.durations.floodMs))
        return { target: "server", detail: `${clients.length} connections of others, ${numLeft} left` }
    } finally {
        await Promise.all(clients.map((client) => client.end().catch(() => undefined)))
    }
}
