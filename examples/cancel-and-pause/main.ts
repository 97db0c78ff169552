import { Config, JobCancelledError, JobDefinition, Worker } from "cuckmq"
import { Pool } from "pg"

const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const config = new Config({ pool })
await config.prepareSchema()

const renderJob = new JobDefinition({
    config,
    name: "render",
    numAttempts: 3,
    jobFunction: async (payload: { film: string }, { signal }) => {
        console.log(`rendering ${payload.film}`)
        if (payload.film === "short") return
        await new Promise((resolve) => signal.addEventListener("abort", resolve))
        if (signal.reason instanceof JobCancelledError) console.log(`stopped: ${signal.reason.reason}`)
    },
})
renderJob.register()

await config.pause({ definition: "render" }, { reason: "the disk is full" })
const worker = new Worker({
    config,
    eventHandler: async ({ event }) => {
        if (event.eventType === "worker-job-dequeue" && event.jobID === long)
            console.log(await config.jobs.cancel(long, { reason: "the customer has changed their mind" }))
        if (event.eventType === "worker-job-finalize-success") worker.stop()
    },
})
const unwanted = await renderJob.defer({ payload: { film: "pilot" } })
const long = await renderJob.defer({ payload: { film: "long" } })
const short = await renderJob.defer({ payload: { film: "short" } })

for (const { target, reason } of await config.pauses()) console.log("paused:", target, reason)
console.log(await config.jobs.cancel(unwanted))
await config.resume({ definition: "render" })
await worker.join()
console.log(await config.jobs.cancelMany([unwanted, long, short]))
await pool.end()
