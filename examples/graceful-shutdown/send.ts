import { config, emailJob, exportJob, pool } from "./jobs.ts"

await config.prepareSchema()

console.log(`deferred job ${await emailJob.defer({ payload: {} })}, email`)
console.log(`deferred job ${await exportJob.defer({ payload: {} })}, export`)

await pool.end()
