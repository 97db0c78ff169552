import { setTimeout } from "node:timers/promises"
import { Config, JobDefinition } from "cuckmq"
import { Pool } from "pg"

export const pool = new Pool({ connectionString: process.env.DATABASE_URL })
export const config = new Config({ pool })

/** Takes two seconds: less than the worker's grace, so it gets to finish. */
export const emailJob = new JobDefinition({
    config,
    name: "email",
    jobFunction: async (_payload: {}, { attempt }) => {
        console.log(`email: attempt ${attempt} begins`)
        await setTimeout(2_000)
        console.log("email: sent")
    },
})

const exportMs = Number(process.env.EXPORT_MS ?? 60_000)

/** Takes a minute, so it is given the signal to pass on to what it waits for. */
export const exportJob = new JobDefinition({
    config,
    name: "export",
    jobFunction: async (_payload: {}, { attempt, signal }) => {
        console.log(`export: attempt ${attempt} begins`)
        try {
            await setTimeout(exportMs, undefined, { signal })
        } catch (error) {
            console.log(`export: aborted by ${signal.reason.name}`)
            // Thrown after the signal, it hands the job back; it is no failure of the job.
            throw error
        }
        console.log("export: written")
    },
})
