import { Config, JobDefinition, Worker } from "cuckmq"
import { Pool } from "pg"

const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const config = new Config({ pool })
await config.prepareSchema()

const hashJob = new JobDefinition<{ password: string; salt: string }, string>({
    config,
    name: "hash-password",
    runIn: "thread",
    module: new URL("./hash-password.js", import.meta.url),
})
const hangJob = new JobDefinition<{}>({
    config,
    name: "hang",
    runIn: "thread",
    module: new URL("./hang.js", import.meta.url),
    attemptTimeoutMs: 200,
    // Nothing is lost with this thread.
    forceAfterMs: 0,
})
hashJob.register()
hangJob.register()

await hangJob.defer({ payload: {} })
const ids = await hashJob.deferMany([
    { payload: { password: "correct horse", salt: "a" } },
    { payload: { password: "battery staple", salt: "b" } },
])

let numTicks = 0
const clock = setInterval(() => numTicks++, 10)

let numEnded = 0
const worker = new Worker({
    config,
    eventHandler: ({ event }) => {
        if (event.eventType === "worker-job-error") console.log(`${event.jobName}: ${event.error}`)
        if (event.eventType.startsWith("worker-job-finalize")) numEnded++
        if (numEnded === 1 + ids.length) worker.stop()
    },
})
await worker.join()
clearInterval(clock)
console.log(`the event loop went on meanwhile: ${numTicks > 10}`)

const { rows } = await pool.query(
    "select result from _cuckmq.job_history where outcome = 'succeeded' order by id",
)
for (const { result } of rows) console.log(result)
await pool.end()
