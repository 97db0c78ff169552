import { Config, JobDefinition, Worker } from "cuckmq"
import { Pool } from "pg"

const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const config = new Config({ pool })
await config.prepareSchema()

/** Nobody waits for a newsletter. */
const newsletterJob = new JobDefinition({
    config,
    name: "newsletter",
    priority: 100,
    jobFunction: async (payload: { to: string }) => {
        console.log(`newsletter to ${payload.to}`)
    },
})

/** Somebody waits for a login code, now. */
const loginCodeJob = new JobDefinition({
    config,
    name: "login-code",
    priority: -100,
    jobFunction: async (payload: { to: string }) => {
        console.log(`login code to ${payload.to}`)
    },
})

newsletterJob.register()
loginCodeJob.register()

const ids = await newsletterJob.deferMany(["ada", "bob", "cai", "dan"].map((to) => ({ payload: { to } })))
// One that was paid for comes before the others.
await newsletterJob.defer({ payload: { to: "eve" }, priority: 50 })
await loginCodeJob.defer({ payload: { to: "fay" } })

// Cai has asked where it is.
const isQueued = await config.jobs.changePriority(ids[2] as number, 0)
console.log(`the newsletter of cai is ${isQueued ? "still queued" : "sent"}`)

let numDone = 0
const worker = new Worker({
    config,
    eventHandler: ({ event }) => {
        if (event.eventType === "worker-job-finalize-success" && ++numDone === 6) worker.stop()
    },
})
await worker.join()

const isStillQueued = await config.jobs.changePriority(ids[2] as number, 100)
console.log(`the newsletter of cai is ${isStillQueued ? "still queued" : "sent"}`)
await pool.end()
