import { Config, JobDefinition, Worker } from "cuckmq"
import { Pool } from "pg"

const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const config = new Config({ pool })
await config.prepareSchema()

/** What runs of each customer now, and the most that ever did. */
const running = new Map<string, number>()
let most = 0

const syncJob = new JobDefinition({
    config,
    name: "sync",
    // The customers' systems bear two connections each, however many workers we have.
    concurrencyLimit: { max: 2, key: (payload) => payload.customer },
    jobFunction: async ({ customer }: { customer: string; page: number }) => {
        running.set(customer, (running.get(customer) ?? 0) + 1)
        most = Math.max(most, ...running.values())
        await new Promise((resolve) => setTimeout(resolve, 20))
        running.set(customer, (running.get(customer) ?? 0) - 1)
    },
})
syncJob.register()

const customers = ["ada", "grace", "katherine"]
const pages = [1, 2, 3, 4, 5, 6]
await syncJob.deferMany(
    customers.flatMap((customer) => pages.map((page) => ({ payload: { customer, page } }))),
)

let numDone = 0
const workers = [1, 2].map(
    () =>
        new Worker({
            config,
            concurrency: 10,
            eventHandler: ({ event }) => {
                if (event.eventType !== "worker-job-finalize-success") return
                numDone += 1
                if (numDone === customers.length * pages.length) for (const worker of workers) worker.stop()
            },
        }),
)
await Promise.all(workers.map((worker) => worker.join()))
console.log(`${numDone} pages in 20 slots, at most ${most} of a customer at a time`)
await pool.end()
