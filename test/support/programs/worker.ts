/**
 * A worker in a process of its own, for tests that kill it. Prints a line for each run that it starts: the attempt.
 * `handler` says what the handler of the definition `job` does then: `hang`, `abort` the process, or
 * `block` its event loop for two leases. Before it prints, `complete` writes to the schema's table `effect` and
 * completes the job in one transaction, and `commit` commits that.
 */
import pg from "pg"
import { quoteSchema } from "../../../src/db/identifier.ts"
import { Config, type JobContext, JobDefinition, Worker } from "../../../src/index.ts"

const [connectionString, schema = "", handler] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString, max: 3 })
const config = new Config({ pool, schema })
const effect = `${quoteSchema(schema)}.effect`

async function writeAndComplete({ attempt, complete }: JobContext): Promise<void> {
    const client = await pool.connect()
    await client.query("begin")
    await client.query(`insert into ${effect} (attempt) values ($1)`, [attempt])
    await complete({ client, result: "from the child" })
    if (handler === "commit") await client.query("commit")
}

// A thread that has to connect on a busy machine needs its time.
const LEASE_MS = handler === "block" ? 3_000 : 400

new JobDefinition({
    config,
    name: "job",
    numAttempts: 2,
    lockIntervalMs: LEASE_MS,
    jobFunction: async (_payload: object, context) => {
        const { attempt } = context
        if (handler === "complete" || handler === "commit") await writeAndComplete(context)
        await new Promise((resolve) => process.stdout.write(`${attempt}\n`, resolve))
        if (handler === "abort") process.abort()
        if (handler === "block") {
            const endMs = performance.now() + 2 * LEASE_MS
            while (performance.now() < endMs);
            return
        }
        await new Promise(() => undefined)
    },
}).register()

new Worker({ config, name: "child", processIntervalMs: 50 })
