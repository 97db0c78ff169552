/**
 * A whole application in a process whose clock is wrong, by the milliseconds given: it defers and runs jobs, and has an
 * orchestrator. Prints the id of the delayed job that it has deferred.
 */
import pg from "pg"

const [connectionString, schema, offsetMs] = process.argv.slice(2)

const RealDate = Date
/** The clock of a machine that is set wrong. The monotonic one of a process is not touched by that. */
globalThis.Date = class extends RealDate {
    constructor(...args: [] | [number | string | Date]) {
        if (args.length === 0) super(RealDate.now() + Number(offsetMs))
        else super(args[0])
    }

    static override now(): number {
        return RealDate.now() + Number(offsetMs)
    }
} as DateConstructor

// Loaded when the clock is wrong already.
const { Config, JobDefinition, Orchestrator, Worker } = await import("../../../src/index.ts")

const config = new Config({ pool: new pg.Pool({ connectionString, max: 3 }), schema: schema ?? "" })
const define = (name: string, options: object = {}) => {
    const definition = new JobDefinition<Record<string, never>, number>({
        config,
        name,
        lockIntervalMs: 2_000,
        ...options,
        jobFunction: () => Date.now(),
    })
    definition.register()
    return definition
}
define("limited", { releaseIntervalMs: 100 })
define("tick", { repeatIntervalMs: 300 })
define("cron", { repeatCron: { expression: "* * * * * *" } })
const delayed = define("delayed")
new Worker({ config, concurrency: 3, processIntervalMs: 50, name: `clock ${offsetMs}` })
new Orchestrator({ config, cleanIntervalMs: 50 })
process.stdout.write(`delayed ${await delayed.defer({ payload: {}, delayMs: 500 })}\n`)
