import { onTestFinished } from "vitest"
import { eventually, hasServer, makePool, type Queue, type Sql } from "./with-schema.ts"

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

/** A session of its own on the server, which ends with the test. */
export async function openSession(): Promise<Sql> {
    const client = await makePool({ max: 1 }).connect()
    onTestFinished(() => client.release(true))
    return client as unknown as Sql
}

/** Waits until `num` sessions wait for a lock in a statement about the queue's schema. */
export async function untilWaitingForLock(queue: Queue, num = 1): Promise<void> {
    await eventually(async () => {
        const { rows } = await queue.sql.query(
            `select count(*) as num from pg_stat_activity where wait_event_type = 'Lock' and query like $1`,
            [`%${queue.schemaName}%`],
        )
        return Number(rows[0]?.num) >= num
    })
}
