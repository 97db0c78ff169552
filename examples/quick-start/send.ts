import { config, pingJob, pool } from "./jobs.ts"

await config.prepareSchema()

const id = await pingJob.defer({ payload: { message: "Hello, World!" } })
console.log(`deferred job ${id}`)

await pool.end()
