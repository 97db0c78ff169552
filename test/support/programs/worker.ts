/**
 * A worker in a process of its own, for tests that kill it. Prints a line for each run that it starts: the attempt.
 * `handler` says what the handler of the definition `job` does then: `hang`, `abort` the process, or
 * `block` its event loop for five leases.
 */
import pg from "pg"
import { Config, JobDefinition, Worker } from "../../../src/index.ts"

const [connectionString, schema, handler] = process.argv.slice(2)
const config = new Config({ pool: new pg.Pool({ connectionString, max: 2 }), schema: schema ?? "" })

const LEASE_MS = 400

new JobDefinition({
    config,
    name: "job",
    numAttempts: 2,
    lockIntervalMs: LEASE_MS,
    jobFunction: async (_payload: object, { attempt }) => {
        await new Promise((resolve) => process.stdout.write(`${attempt}\n`, resolve))
        if (handler === "abort") process.abort()
        if (handler === "block") {
            const endMs = performance.now() + 5 * LEASE_MS
            while (performance.now() < endMs);
            return
        }
        await new Promise(() => undefined)
    },
}).register()

new Worker({ config, name: "child", processIntervalMs: 50 })
