import { Config, Worker, type WorkerOptions } from "cuckmq"
import { Pool } from "pg"

export const pool = new Pool({ connectionString: process.env.DATABASE_URL })
export const config = new Config({ pool })
await config.prepareSchema()

/** Works until so many jobs are over, however they ended. */
export async function workUntil(numEnds: number, options: Partial<WorkerOptions> = {}): Promise<void> {
    let numEnded = 0
    const worker = new Worker({
        config,
        ...options,
        eventHandler: ({ event }) => {
            if (event.eventType.startsWith("worker-job-finalize") && ++numEnded === numEnds) worker.stop()
        },
    })
    await worker.join()
}
