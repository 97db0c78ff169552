import pg from "pg"
import { addressOf, FOREIGN_ROLE, PEER_ROLE } from "../servers/role.ts"
import type { Scene } from "./fault.ts"

/** Ends the sessions of the peer's processes. Returns how many there were. */
export async function endSessions(admin: pg.Pool): Promise<number> {
    const { rowCount } = await admin.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = $1",
        [PEER_ROLE],
    )
    return rowCount ?? 0
}

/** A session of someone else's, past the proxy, that lasts until `work` is done. */
export async function withStranger<T>(
    scene: Scene,
    as: "superuser" | "foreign",
    work: (client: pg.Client) => Promise<T>,
): Promise<T> {
    const url = new URL(scene.server.connectionString)
    const connectionString =
        as === "superuser" ? url.href : addressOf({ role: FOREIGN_ROLE, port: Number(url.port) })
    const client = new pg.Client({
        connectionString,
        application_name: "chaos-stranger",
        connectionTimeoutMillis: 5_000,
    })
    client.on("error", () => undefined)
    try {
        await client.connect()
        return await work(client)
    } finally {
        await client.end().catch(() => undefined)
    }
}

/** The tables of jobs under their quoted names; where a queue has several, the one that changes the most first. */
export async function jobTables(scene: Scene): Promise<string[]> {
    const { rows } = await scene.admin.query<{ name: string }>(
        `select format('%I.%I', schemaname, relname) as name
        from pg_stat_user_tables
        where schemaname = $1 and relname ~ 'job' and relname !~ 'history|archive'
        order by n_tup_ins + n_tup_upd desc`,
        [scene.schema],
    )
    return rows.map((row) => row.name)
}

/** Things that lock whole tables come one after the other: what they would do to each other is not the question. */
let turn: Promise<unknown> = Promise.resolve()

export function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = turn.then(work)
    turn = mine.catch(() => undefined)
    return mine
}
