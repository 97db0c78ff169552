import { expect } from "vitest"
import { eventually, type Queue } from "./with-schema.ts"

/** Waits until at least `num` jobs are finalized, and returns all that are, by id. */
export function finalized(queue: Queue, num: number): Promise<Record<string, unknown>[]> {
    return eventually(async () => {
        const rows = await queue.history()
        return rows.length >= num && rows
    })
}

/** Waits until the jobs given are finalized, and returns their rows in the order given. */
export function finalizedJobs(queue: Queue, ids: readonly number[]): Promise<Record<string, unknown>[]> {
    return eventually(async () => {
        const rows = new Map((await queue.history()).map((row) => [Number(row.id), row]))
        const found = ids.map((id) => rows.get(id)).filter((row) => row !== undefined)
        return found.length === ids.length && found
    })
}

/** Waits until the job given is finalized, and returns its row. */
export async function finalizedJob(queue: Queue, id: number): Promise<Record<string, unknown>> {
    return (await finalizedJobs(queue, [id]))[0] ?? {}
}

/** What the id of a job's row is compared with: `pg` reads a bigint as a text, PGlite as a number. */
export function rowID(id: number): unknown {
    return expect.toBeOneOf([id, String(id)])
}
