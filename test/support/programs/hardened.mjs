/**
 * Uses the built package as an application does, in a process whose intrinsics are frozen and whose objects have no
 * `__proto__`. Prints the result of each job, and whether the payload came as it was given.
 */

import { Config, JobDefinition, Orchestrator, Worker } from "cuckmq"
import pg from "pg"

const [connectionString, schema] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString, max: 3 })
const config = new Config({ pool, schema })
const payload = JSON.parse(
    '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},"toString":1}',
)
const untouched = Object.getOwnPropertyNames(Object.prototype).join()
const names = ["__proto__", "constructor", "toString"]
const finished = new Set()

for (const name of names) {
    const definition = new JobDefinition({
        config,
        name,
        numAttempts: 1,
        retryDelayMs: 0,
        jobFunction: (received, { attempt }) => {
            if (attempt === 1) throw JSON.parse('{"__proto__":1,"message":"first"}')
            if (JSON.stringify(received) !== JSON.stringify(payload)) throw new Error("another payload")
            if (received.admin !== undefined || {}.admin !== undefined) throw new Error("polluted")
        },
    })
    definition.register()
    await definition.defer({ payload })
}
const daemons = [Worker, Orchestrator].map(
    (Daemon) =>
        new Daemon({
            config,
            eventHandler: ({ event }) => {
                if (event.eventType === "worker-job-finalize-success") finished.add(event.jobName)
                if (event.eventType === "daemon-error") console.log("daemon-error", event.error)
                if (event.eventType === "worker-job-finalize-failure") console.log("failure", event.jobName)
                if (finished.size === names.length) for (const daemon of daemons) daemon.stop()
            },
        }),
)
await Promise.all(daemons.map((daemon) => daemon.join()))
await pool.end()
console.log("finished", [...finished].sort().join(" "))
console.log("untouched", untouched === Object.getOwnPropertyNames(Object.prototype).join())
