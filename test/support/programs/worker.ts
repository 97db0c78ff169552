/**
 * A worker in a process of its own, for tests that kill it. Prints a line for each run that it starts: the attempt.
 * `handler` says what the handler of the definition `job` does then: `hang`, or `abort` the process.
 */
import pg from "pg"
import { Config, JobDefinition, Worker } from "../../../src/index.ts"

const [connectionString, schema, handler] = process.argv.slice(2)
const config = new Config({ pool: new pg.Pool({ connectionString, max: 2 }), schema: schema ?? "" })

new JobDefinition({
    config,
    name: "job",
    numAttempts: 2,
    lockIntervalMs: 400,
    jobFunction: async (_payload: object, { attempt }) => {
        await new Promise((resolve) => process.stdout.write(`${attempt}\n`, resolve))
        if (handler === "abort") process.abort()
        await new Promise(() => undefined)
    },
}).register()

new Worker({ config, name: "child", processIntervalMs: 50 })
