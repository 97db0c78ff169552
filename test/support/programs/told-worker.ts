/**
 * A worker in a process of its own that does what it is told, for tests that stop and continue the process. Prints a
 * line of JSON for each event. A line on its standard input says what is to happen: `return` and `throw` end the
 * handlers of the definition `job` that way, `stop` ends the worker by force.
 */
import { once } from "node:events"
import { createInterface } from "node:readline"
import pg from "pg"
import { Config, JobDefinition, Worker } from "../../../src/index.ts"

const [connectionString, schema, lockIntervalMs] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString, max: 2 })
const config = new Config({ pool, schema: schema ?? "" })
const orders = createInterface({ input: process.stdin })

new JobDefinition({
    config,
    name: "job",
    numAttempts: 5,
    lockIntervalMs: Number(lockIntervalMs),
    retryDelayMs: 0,
    jobFunction: async (_payload: object) => {
        const [order] = await once(orders, "line")
        if (order === "throw") throw new Error("stale")
        return "stale"
    },
}).register()

const worker = new Worker({
    config,
    name: "child",
    processIntervalMs: 60_000,
    eventHandler: ({ event }) => {
        const { error, ...rest } = { error: undefined, ...event }
        process.stdout.write(
            `${JSON.stringify(error === undefined ? rest : { ...rest, error: String(error) })}\n`,
        )
    },
})

orders.on("line", (order) => {
    if (order !== "stop") return
    worker.stop()
    void worker.join({ graceMs: 0 })
})
