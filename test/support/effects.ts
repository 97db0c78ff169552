import { inTransaction } from "./transaction.ts"
import type { Queue, Sql } from "./with-schema.ts"

/** What job functions write to the database beside the queue, in a table of the queue's schema. */
export interface Effects {
    /** Writes that an attempt was here. */
    write(client: Sql, attempt: number): Promise<void>
    /** The attempts whose writes were committed. */
    attempts(): Promise<number[]>
    /** Writes in a transaction of its own, in which `then` goes on; `isolation` is its level. */
    inTransaction<T>(
        attempt: number,
        then: (client: Sql) => Promise<T>,
        isolation?: "repeatable read" | "serializable",
    ): Promise<T>
}

/** Makes the table. */
export async function makeEffects(queue: Queue): Promise<Effects> {
    const { schema, sql } = queue
    await sql.query(`create table ${schema}.effect (attempt integer not null)`)
    await sql.query(`grant insert on ${schema}.effect to public`)
    const write = async (client: Sql, attempt: number) => {
        await client.query(`insert into ${schema}.effect (attempt) values ($1)`, [attempt])
    }
    return {
        write,
        attempts: async () => {
            const { rows } = await sql.query(`select attempt from ${schema}.effect order by attempt`)
            return rows.map(({ attempt }) => Number(attempt))
        },
        inTransaction: (attempt, then, isolation) =>
            inTransaction(queue, async (client) => {
                if (isolation !== undefined)
                    await client.query(`set transaction isolation level ${isolation}`)
                await write(client, attempt)
                return then(client)
            }),
    }
}
