import type pg from "pg"
import { onTestFinished } from "vitest"
import { USER } from "./postgres-server.ts"
import { eventually, hasServer, makeDirectPool, makePool, type Queue, type Sql } from "./with-schema.ts"

/** Runs `work` in a transaction of the caller's own, on `pg` or on PGlite; rolls back when it throws. */
export async function inTransaction<T>(queue: Queue, work: (client: Sql) => Promise<T>): Promise<T> {
    if (!hasServer()) {
        const database = queue.pool as unknown as {
            transaction(run: (client: Sql) => Promise<T>): Promise<T>
        }
        return database.transaction(work)
    }
    const client = await openSession()
    await client.query("begin")
    try {
        const result = await work(client)
        await client.query("commit")
        return result
    } catch (error) {
        await client.query("rollback")
        throw error
    }
}

/**
 * A connection of an application, which ends with the test. At read committed on every leg: who makes their own
 * transactions serializable has to expect that one fails and is to be repeated.
 */
export async function openSession(): Promise<Sql> {
    return clientOf(makePool({ role: USER, max: 1 }))
}

/** A connection that takes nothing from the queue under test where a pooler has few. */
export async function openDirectSession(): Promise<Sql> {
    return clientOf(makeDirectPool({ max: 1 }))
}

async function clientOf(pool: pg.Pool): Promise<Sql> {
    const client = await pool.connect()
    onTestFinished(() => client.release(true))
    return client as unknown as Sql
}

/** Waits until `num` sessions wait for a lock in a statement about the queue's schema. */
export async function untilWaitingForLock(queue: Queue, num = 1): Promise<void> {
    await eventually(async () => {
        const { rows } = await queue.sql.query(
            `select count(*) as num from pg_stat_activity where wait_event_type = 'Lock' and position($1 in query) > 0`,
            [queue.schema],
        )
        return Number(rows[0]?.num) >= num
    })
}
