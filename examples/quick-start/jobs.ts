import { Config, JobDefinition } from "cuckmq"
import { Pool } from "pg"

export const pool = new Pool({ connectionString: process.env.DATABASE_URL })
export const config = new Config({ pool })

export const pingJob = new JobDefinition({
    config,
    name: "ping",
    jobFunction: async (payload: { message: string }) => {
        console.log(payload.message)
    },
})
