import type { Core } from "./core.ts"
import { checkedClient, type SqlClient } from "./db/client.ts"
import { runOnClient } from "./db/database.ts"
import type { Run } from "./db/driver.ts"
import {
    inOurWords,
    isOutsideTransaction,
    lockNotAvailable,
    toCuckmqError,
    wasTooLong,
} from "./db/failure.ts"
import type { DeadLettersOptions, ReplayManyOptions } from "./dead-letter-options.ts"
import { type DeadLetterPage, DeadLetters } from "./dead-letters.ts"
import { InvalidOptionError } from "./errors.ts"
import { finalizeCancelled, hintsAbout } from "./finalize-cancelled.ts"
import { jobID as checkedID, jobPriority, knownOptions, listOf, reasonText } from "./options.ts"
import { type CancelledJob, cancelJobs, findFinalizedJobs } from "./statements/cancel-jobs.ts"
import { notify } from "./statements/notify.ts"
import { changePriority, registerPriorities } from "./statements/priorities.ts"
import { withinSavepoint } from "./statements/savepoint.ts"

/** How to cancel jobs. */
export interface CancelOptions {
    /**
     * Why, for the job's signal and its history: a text of 1 to 1,000 characters. Default none. Of a job that is
     * cancelled more than once, the first reason stands.
     */
    reason?: string
    /**
     * A client that is inside a transaction of yours: the jobs are cancelled if and when it commits. Anything with
     * `query(text, values)`, such as a `pg` client or a PGlite transaction. Until then the jobs are locked, so keep it
     * short. A daemon moves what was waiting to history, so there has to be one.
     */
    client?: SqlClient
}

/**
 * What became of a job that was to be cancelled: it never runs again (`cancelled`); it runs, and its worker is being
 * told to end it (`cancelling`); it was over already (`finalized`); or there is no job of this id, or history holds it
 * no more (`not-found`).
 */
export type CancelResult = "cancelled" | "cancelling" | "finalized" | "not-found"

/** The most that are cancelled in one statement. */
const MAX_JOBS = 1_000

/** How long to wait for a job that someone else holds locked, if it is the only one, and for one of many. */
const LOCK_MS = 5_000
const LOCK_MS_OF_MANY = 250

/** Each job that was found, and what became of it. */
type Results = [id: number, result: CancelResult][]

/** What to do about jobs that are there, once they have been deferred. */
export class Jobs {
    readonly #core: Core
    readonly #deadLetters: DeadLetters

    /** For `Config`, which makes one. */
    constructor(core: Core) {
        this.#core = core
        this.#deadLetters = new DeadLetters(core)
    }

    /**
     * Reads dead letters: jobs that failed for good, the newest first, with all that their attempts threw. Costs what it
     * looks through: those of the definition and the time given, of which `reason` and `errorText` choose. However many
     * jobs have succeeded does not matter.
     *
     * @throws InvalidOptionError before anything is sent.
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async deadLetters(options: DeadLettersOptions = {}): Promise<DeadLetterPage> {
        return this.#deadLetters.read(options)
    }

    /**
     * Lets a job that failed for good begin again: under its old id and with its old payload, due now, and with the
     * attempts and the time that its definition has by now. What its attempts threw stays with it. It is no dead letter
     * from then on; of any number of calls at the same time one replays it. Jobs that failed because they depended on it
     * stay as they are, and one of those that is replayed runs whatever became of what it depended on.
     *
     * @returns whether there was a dead letter of this id.
     * @throws InvalidOptionError before anything is sent.
     * @throws SchemaNotPreparedError, DatabaseError from the database. When the connection broke, the job may or may not
     * have been replayed; ask again.
     */
    async replay(jobID: number): Promise<boolean> {
        return this.#deadLetters.replay(jobID)
    }

    /**
     * Replays all dead letters that fit, the oldest first, 500 in a statement that commits by itself. Without `reason`,
     * those that failed because of what they depended on (`unmet-dependencies`) or were `cancelled` are left. With `ratePerSecond` the jobs
     * are due one after the other, which needs no process to wait. When it throws, some are replayed; the same call
     * again goes on with the others.
     *
     * @returns how many it replayed.
     * @throws what `replay` throws.
     */
    async replayMany(options: ReplayManyOptions): Promise<number> {
        return this.#deadLetters.replayMany(options)
    }

    /**
     * Cancels a job, whatever state it is in and whichever process it runs in. One that does not run is finalized as
     * failed, with the reason `cancelled`, and what depends on it fails too. The signal of one that runs is aborted with
     * a `JobCancelledError`: at once where LISTEN is heard, or within its worker's `processIntervalMs`; then the job is
     * finalized likewise, its slot is free, and it is not attempted again, whatever its job function still does. If it
     * succeeds before that, it has succeeded.
     *
     * May be repeated, also after an error. Costs two small statements at most, twice that where the job is replayed at the
     * same moment, and a transaction more where other jobs depend on this one.
     *
     * @throws InvalidOptionError before anything is sent, or when `client` is not inside a transaction.
     * @throws SchemaNotPreparedError, DatabaseError from the database. When the connection broke, the job may or may not
     * have been cancelled. Its `sqlState` is `55P03` when someone held the job locked for five seconds, and may be `40001`
     * in a transaction of yours at `repeatable read` or `serializable`.
     */
    async cancel(jobID: number, options: CancelOptions = {}): Promise<CancelResult> {
        const id = checkedID("jobID", jobID)
        const [result] = await this.#cancel("cancel", [id], options)
        return result as CancelResult
    }

    /**
     * Cancels many jobs, 1,000 in a statement. Without `client`, when it throws, some of them may be cancelled.
     *
     * @returns what became of each, in the order given.
     * @throws what `cancel` throws.
     */
    async cancelMany(jobIDs: readonly number[], options: CancelOptions = {}): Promise<CancelResult[]> {
        const expected = "an array of job ids"
        const ids = listOf({ option: "jobIDs", expected, value: jobIDs, check: checkedID })
        return this.#cancel("cancelMany", ids, options)
    }

    /**
     * Gives a job that is not finalized another priority. One that is ready goes to the end of the jobs of its definition
     * that have the same; one that waits keeps its time and its dependencies. A run that is under way goes on, and the new
     * priority counts if the job is attempted again. Waits for a transaction that has completed the job, or that has
     * deferred one that depends on it. Costs one round trip, and two more for a priority that the definition has for the
     * first time.
     *
     * @returns whether there is such a job: false when it is finalized, or never was.
     * @throws InvalidOptionError when `jobID` is no id, or `priority` no whole number from -1,000 to 1,000.
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async changePriority(jobID: number, priority: number): Promise<boolean> {
        const change = { jobID: checkedID("jobID", jobID), priority: jobPriority("priority", priority) }
        const told = { action: "changePriority", schema: this.#core.schema }
        return inOurWords(told, () => this.#changePriority(change))
    }

    async #changePriority(change: { jobID: number; priority: number }): Promise<boolean> {
        const { run, schema, hints } = this.#core
        const changed = await changePriority({ run, schema, ...change })
        if (changed === undefined) return false
        const { definitionID, channel, isLaneMissing, isReadyAnew } = changed
        if (isLaneMissing) {
            // By itself, so that no job is locked meanwhile; and for good, so that once is enough.
            const lanes = [{ definitionID, priority: change.priority }]
            await registerPriorities({ run, schema, lanes })
            return this.#changePriority(change)
        }
        if (isReadyAnew) hints.announce("ready", channel)
        return true
    }

    async #cancel(
        action: "cancel" | "cancelMany",
        ids: readonly number[],
        options: CancelOptions,
    ): Promise<CancelResult[]> {
        knownOptions(action, options, ["reason", "client"])
        const reason = options.reason === undefined ? null : reasonText("reason", options.reason)
        const client = options.client === undefined ? undefined : checkedClient(options.client)
        // In the order of their ids, in which rows are locked.
        const inOrder = [...new Set(ids)].sort((a, b) => a - b)
        const { schema } = this.#core
        const results = new Map<number, CancelResult>()
        try {
            const cancelChunks = async (cancel: (chunk: readonly number[]) => Promise<Results>) => {
                for (let start = 0; start < inOrder.length; start += MAX_JOBS)
                    for (const [id, result] of await cancel(inOrder.slice(start, start + MAX_JOBS)))
                        results.set(id, result)
            }
            if (client === undefined) await cancelChunks((chunk) => this.#cancelCommitted(chunk, reason))
            else {
                const run: Run = (text, values) => runOnClient(client, text, values)
                await withinSavepoint(run, () =>
                    cancelChunks((chunk) => this.#cancelWithin(run, chunk, reason)),
                )
            }
        } catch (error) {
            if (!isOutsideTransaction(error)) throw toCuckmqError({ error, action, schema })
            throw new InvalidOptionError({
                option: "client",
                message: "expected `client` to be inside a transaction",
            })
        }
        return ids.map((id) => results.get(id) ?? "not-found")
    }

    /** By statements that commit by themselves: one job that someone holds locked does not hold up the others. */
    async #cancelCommitted(ids: readonly number[], reason: string | null): Promise<Results> {
        const { run, schema } = this.#core
        const isAlone = ids.length === 1
        let cancelled: CancelledJob[]
        try {
            const lockMs = isAlone ? LOCK_MS : LOCK_MS_OF_MANY
            cancelled = await cancelJobs({ run, schema, ids, reason, lockMs })
        } catch (error) {
            if (isAlone || !(lockNotAvailable(error) || wasTooLong(error))) throw error
            const half = Math.ceil(ids.length / 2)
            const first = await this.#cancelCommitted(ids.slice(0, half), reason)
            return [...first, ...(await this.#cancelCommitted(ids.slice(half), reason))]
        }
        await finalizeCancelled(this.#core, cancelled)
        const again = (live: readonly number[]) => this.#cancelCommitted(live, reason)
        return this.#resultsOf({ run, ids, cancelled, again })
    }

    /** In the caller's transaction, which locks no more than the jobs, and whose commit we do not see. */
    async #cancelWithin(run: Run, ids: readonly number[], reason: string | null): Promise<Results> {
        const { schema, hints } = this.#core
        const cancelled = await cancelJobs({ run, schema, ids, reason, lockMs: null })
        for (const { kind, channel } of hintsAbout(cancelled))
            await notify({ run, ...hints.notificationOf(kind, channel) })
        const again = (live: readonly number[]) => this.#cancelWithin(run, live, reason)
        return this.#resultsOf({ run, ids, cancelled, again })
    }

    /**
     * A job that we did not find live may be over since before, or since we waited for its row: history knows by now. Or
     * it was, and has been replayed since: then `again` is for it.
     */
    async #resultsOf(params: {
        run: Run
        ids: readonly number[]
        cancelled: readonly CancelledJob[]
        again: (live: readonly number[]) => Promise<Results>
    }): Promise<Results> {
        const { run, ids, cancelled, again } = params
        const results: Results = cancelled.map((job) => [job.id, job.isRunning ? "cancelling" : "cancelled"])
        const found = new Set(cancelled.map((job) => job.id))
        const rest = ids.filter((id) => !found.has(id))
        if (rest.length === 0) return results
        const { finalized, live } = await findFinalizedJobs({ run, schema: this.#core.schema, ids: rest })
        for (const id of finalized) results.push([id, "finalized"])
        return live.length === 0 ? results : [...results, ...(await again(live))]
    }
}
