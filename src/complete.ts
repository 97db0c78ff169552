import type { SqlClient } from "./db/client.ts"
import { runOnClient } from "./db/database.ts"
import { isOutsideTransaction, toCuckmqError } from "./db/failure.ts"
import { InvalidCompletionError, InvalidOptionError, LeaseLostError } from "./errors.ts"
import { completeJob } from "./statements/complete-job.ts"
import { findSettledJobs } from "./statements/find-settled-jobs.ts"
import type { ClaimKey, Query } from "./statements/query.ts"
import { withinSavepoint } from "./statements/savepoint.ts"
import { type DependentState, lockRequiredJobs, releaseDependents } from "./statements/settle-dependents.ts"

interface Completed {
    job: ClaimKey
    worker: string
    /** The job's result as JSON text. */
    result: string | null
    /** The ring of history that the job goes to. */
    ring: number
}

/**
 * Finalizes a job as succeeded within a transaction of the caller's own, and releases what depends on it there. All
 * or nothing: when it throws, the transaction is as it was before. Returns the state of each dependent, which others
 * must not hear of before the commit.
 */
export async function completeWithin({
    client,
    schema,
    ...completed
}: Completed & { client: SqlClient; schema: Query["schema"] }): Promise<DependentState[]> {
    const run: Query["run"] = (text, values) => runOnClient(client, text, values)
    try {
        // The server refuses a savepoint outside of a transaction, and so a pool in place of a client.
        return await withinSavepoint(run, () => complete({ run, schema, ...completed }))
    } catch (error) {
        if (isOutsideTransaction(error)) {
            throw new InvalidOptionError({
                option: "client",
                message: "expected `client` to be inside a transaction",
            })
        }
        throw toCuckmqError({ error, action: "complete", schema })
    }
}

async function complete(params: Completed & Query): Promise<DependentState[]> {
    const { run, schema, job } = params
    if (await completeJob({ ...params, hasDependents: false })) return []
    const found = await findSettledJobs({ run, schema, jobs: [job], outcome: "succeeded" })
    if (found.finalized.length > 0)
        throw new InvalidCompletionError({ jobID: job.id, reason: "it is completed already" })
    if (found.required.length === 0) throw new LeaseLostError(job.id)
    // Once the job is locked no dependent is added, so the second look, at the latest, locks them all.
    let isLocked = false
    while (!isLocked) isLocked = await lockRequiredJobs({ run, schema, ids: [job.id] })
    if (!(await completeJob({ ...params, hasDependents: true }))) throw new LeaseLostError(job.id)
    return releaseDependents({ run, schema, ids: [job.id] })
}
