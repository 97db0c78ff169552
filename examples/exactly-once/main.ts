import { Config, JobDefinition, Worker } from "cuckmq"
import { Pool } from "pg"

const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const config = new Config({ pool })
await config.prepareSchema()
await pool.query("create table if not exists account (owner text primary key, balance integer not null)")
await pool.query("insert into account values ('ada', 100), ('bob', 0)")

const transferJob = new JobDefinition({
    config,
    name: "transfer",
    numAttempts: 2,
    retryDelayMs: 100,
    jobFunction: async (payload: { from: string; to: string; amount: number }, context) => {
        const client = await pool.connect()
        try {
            await client.query("begin")
            const add = "update account set balance = balance + $2 where owner = $1"
            await client.query(add, [payload.from, -payload.amount])
            // The money has left one account and not arrived in the other.
            if (context.attempt === 1) throw new Error("a fault in the middle")
            await client.query(add, [payload.to, payload.amount])
            await context.complete({ client })
            // The transfer is done and the job completed, and neither is committed.
            if (context.attempt === 2) throw new Error("a fault at the very end")
            await client.query("commit")
        } catch (error) {
            await client.query("rollback")
            throw error
        } finally {
            client.release()
        }
    },
})

/** What every connection sees. */
async function balances(): Promise<string> {
    const { rows } = await pool.query("select owner, balance from account order by owner")
    return rows.map(({ owner, balance }) => `${owner} has ${balance}`).join(", ")
}

transferJob.register()
await transferJob.defer({ payload: { from: "ada", to: "bob", amount: 10 } })
console.log(`before: ${await balances()}`)
const worker = new Worker({
    config,
    eventHandler: ({ event }) => {
        if (event.eventType === "worker-job-error") {
            const { message } = event.error as Error
            console.log(`attempt ${event.attempt} failed: ${message}`)
        }
        if (event.eventType === "worker-job-finalize-success") {
            console.log(`attempt ${event.attempt} succeeded`)
            worker.stop()
        }
    },
})
await worker.join()
console.log(`after: ${await balances()}`)
await pool.end()
