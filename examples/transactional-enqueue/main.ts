import { Config, JobDefinition, Worker } from "cuckmq"
import { Pool, type PoolClient } from "pg"

const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const config = new Config({ pool })
await config.prepareSchema()
await pool.query("create table if not exists account (email text primary key)")

const welcomeJob = new JobDefinition({
    config,
    name: "welcome",
    jobFunction: async (payload: { email: string }) => {
        console.log(`Welcome, ${payload.email}`)
    },
})

/** The account and the job that greets it: both are in the database, or neither is. */
async function signUp(client: PoolClient, email: string): Promise<void> {
    await client.query("insert into account (email) values ($1)", [email])
    await welcomeJob.defer({ payload: { email }, client })
}

async function inTransaction(work: (client: PoolClient) => Promise<void>): Promise<void> {
    const client = await pool.connect()
    try {
        await client.query("begin")
        await work(client)
        console.log(`before the commit, others see: ${await describe()}`)
        await client.query("commit")
    } catch (error) {
        await client.query("rollback")
        console.log(`rolled back: ${error instanceof Error ? error.message : error}`)
    } finally {
        client.release()
    }
}

/** What every other connection sees. */
async function describe(): Promise<string> {
    const { rows } = await pool.query(`
        select (select count(*) from account) as accounts, (select count(*) from _cuckmq.job) as jobs`)
    return `accounts: ${rows[0].accounts}, jobs: ${rows[0].jobs}`
}

await inTransaction(async (client) => {
    await signUp(client, "ada@example.org")
})
console.log(`after the commit, they see: ${await describe()}`)

await inTransaction(async (client) => {
    await signUp(client, "bob@example.org")
    // The account exists, so Postgres refuses, and what came before is undone with it.
    await signUp(client, "ada@example.org")
})
console.log(`after the rollback, they see: ${await describe()}`)

welcomeJob.register()
const worker = new Worker({
    config,
    eventHandler: ({ event }) => {
        if (event.eventType === "worker-job-finalize-success") worker.stop()
    },
})
await worker.join()
console.log(`after the work, they see: ${await describe()}`)
await pool.end()
