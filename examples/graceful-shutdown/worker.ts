import { type EventHandler, Worker } from "cuckmq"
import { config, emailJob, exportJob, pool } from "./jobs.ts"

/** Less than what the process has before it is killed: in Kubernetes, 30 seconds after SIGTERM. */
const GRACE_MS = 4_000

await config.prepareSchema()
emailJob.register()
exportJob.register()

const eventHandler: EventHandler = ({ event }) => {
    if (event.eventType === "worker-job-finalize-success") console.log(`${event.jobName}: on record`)
    if (event.eventType === "worker-job-return") console.log(`${event.jobName}: back in the queue`)
}
const worker = new Worker({ config, concurrency: 2, eventHandler })

process.once("SIGTERM", () => {
    console.log("stopping: nothing new is taken, and what runs has 4 seconds")
    worker.stop()
})

await worker.join({ graceMs: GRACE_MS })
await pool.end()
console.log("stopped")
