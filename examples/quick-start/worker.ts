import { Orchestrator, Worker } from "cuckmq"
import { config, pingJob, pool } from "./jobs.ts"

await config.prepareSchema()

// Workers run the jobs of the definitions that are registered before they are constructed.
pingJob.register()

// Daemons start when they are constructed.
const daemons = [new Worker({ config }), new Orchestrator({ config })]

process.on("SIGINT", () => {
    console.log("stopping")
    for (const daemon of daemons) daemon.stop()
})

await Promise.all(daemons.map((daemon) => daemon.join()))
await pool.end()
console.log("stopped")
