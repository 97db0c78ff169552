import { type Config, type Core, coreOf } from "../config.ts"
import { inOurWords } from "../db/failure.ts"
import type { DeadLettersOptions } from "../dead-letter-options.ts"
import type { DeadLetterPage } from "../dead-letters.ts"
import type { Count } from "../inspect/counts.ts"
import { checkHealth, type Health } from "../inspect/health.ts"
import { inspectServer, type ServerInfo } from "../inspect/server.ts"
import type { Pause, PauseTarget } from "../pauses.ts"
import type { Schedule } from "../schedule-options.ts"
import type { JobFilter } from "./change-options.ts"
import { Controls, type InspectorPauseOptions } from "./controls.ts"
import { deferByName, type InspectorDeferOptions } from "./defer-by-name.ts"
import type {
    By,
    ChangeAllOptions,
    ChangeResult,
    CountOptions,
    JobChange,
    ListOperationsOptions,
    Operation,
    OperationPage,
} from "./operation.ts"
import { Operations } from "./operations.ts"

/**
 * What an `Inspector` does to a queue, besides looking at it. Everything that changes anything leaves a record in the audit
 * log, with `by`, in the same transaction: what is in the log was done, and what was done is in the log.
 */
export class Operator {
    readonly #config: Config
    readonly #core: Core
    readonly #operations: Operations
    readonly #controls: Controls

    /** For `Inspector`, which is one. */
    constructor(config: Config) {
        this.#core = coreOf(config)
        this.#config = config
        this.#operations = new Operations(this.#core)
        this.#controls = new Controls(config, this.#core)
    }

    /**
     * Changes jobs of which the ids are known, 1 to 1,000 of them, all in one transaction with its record. A job that is in
     * a state that the action is not for stays as it is, and the result says so. Workers hear of it at once where LISTEN is
     * heard. Costs three to six small statements.
     *
     * @returns what became of each, in the order given.
     * @throws InvalidOptionError before anything is sent.
     * @throws SchemaNotPreparedError, DatabaseError from the database, with nothing done; its `sqlState` is `55P03` when
     * someone held one of the jobs locked for five seconds. When the connection broke, it may or may not have been done.
     */
    async change(change: JobChange, jobIDs: readonly number[], options?: By): Promise<ChangeResult[]> {
        return this.#operations.change(change, jobIDs, options)
    }

    /**
     * How many jobs a change would concern by now. Looks through them for `countMs`, up to 20,000 in a statement, or 5,000
     * where payloads are asked for; where that was not enough, `isExact` is false and there are `num` of them at least.
     *
     * @throws InvalidOptionError before anything is sent, also for a `state` that the action is not for.
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async preview(change: JobChange, filter: JobFilter, options: CountOptions = {}): Promise<Count> {
        return this.#operations.preview(change, filter, options)
    }

    /**
     * Has all jobs changed that fit, however many there are, or the oldest of them up to a `limit`. This only submits it, and costs what `preview` does. Any live
     * orchestrator performs it, 500 jobs in a transaction, in the order of their ids; without one it waits. Jobs that were
     * deferred, or finalized, after it was submitted are left out; and so are, of `replay` without a `reason`, those that were
     * cancelled, or failed because of what they depended on. A crash in the middle neither leaves a job out nor changes one
     * twice: another orchestrator goes on after ten seconds. Operations under way at the same time go on side by side.
     *
     * @returns the operation, which `operation` tells the progress of.
     * @throws what `preview` throws.
     */
    async changeAll(
        change: JobChange,
        filter: JobFilter,
        options: ChangeAllOptions = {},
    ): Promise<Operation> {
        return this.#operations.changeAll(change, filter, options)
    }

    /**
     * One operation, by its id, with its progress. Costs one small statement.
     *
     * @returns null when there is none, or it was longer ago than 90 days.
     * @throws InvalidOptionError before anything is sent.
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async operation(operationID: number): Promise<Operation | null> {
        return this.#operations.get(operationID)
    }

    /**
     * The audit log, the newest first: what was done through inspectors in the last 90 days, and what is being done. Costs
     * what it returns.
     *
     * @throws InvalidOptionError before anything is sent.
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async operations(options: ListOperationsOptions = {}): Promise<OperationPage> {
        return this.#operations.list(options)
    }

    /**
     * Ends an operation before it is done. When this has resolved, it changes no more jobs; those that it has changed stay
     * so. Waits for the chunk under way.
     *
     * @returns whether there was one that had not ended.
     * @throws InvalidOptionError before anything is sent.
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async cancelOperation(operationID: number, options?: By): Promise<boolean> {
        return this.#operations.cancel(operationID, options)
    }

    /**
     * Pauses a definition, one key of it, a channel, or everything, as `Config#pause` does.
     *
     * @throws what `Config#pause` throws.
     */
    async pause(target: PauseTarget, options: InspectorPauseOptions = {}): Promise<void> {
        return this.#controls.pause(target, options)
    }

    /**
     * Ends a pause, as `Config#resume` does.
     *
     * @returns whether the target was paused. Nothing is recorded where it was not.
     * @throws what `Config#resume` throws.
     */
    async resume(target: PauseTarget, options?: By): Promise<boolean> {
        return this.#controls.resume(target, options)
    }

    /**
     * What is paused, the longest first.
     *
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async pauses(): Promise<Pause[]> {
        return this.#config.pauses()
    }

    /**
     * Pauses a schedule: it gets no jobs until it is resumed.
     *
     * @throws ScheduleNotFoundError when there is none; InvalidOptionError, SchemaNotPreparedError, DatabaseError.
     */
    async pauseSchedule(name: string, options?: By): Promise<void> {
        return this.#controls.pauseSchedule(name, options)
    }

    /**
     * Resumes a schedule that is paused. Ticks that passed meanwhile are not made up for.
     *
     * @throws what `pauseSchedule` throws.
     */
    async resumeSchedule(name: string, options?: By): Promise<void> {
        return this.#controls.resumeSchedule(name, options)
    }

    /**
     * Removes a schedule. Jobs that it has deferred stay.
     *
     * @returns whether there was one. Nothing is recorded where there was none.
     * @throws InvalidOptionError, SchemaNotPreparedError, DatabaseError.
     */
    async removeSchedule(name: string, options?: By): Promise<boolean> {
        return this.#controls.removeSchedule(name, options)
    }

    /**
     * Defers a job of a schedule now, besides its ticks, also while it is paused.
     *
     * @returns the job's id.
     * @throws what `pauseSchedule` throws.
     */
    async runSchedule(name: string, options?: By): Promise<number> {
        return this.#controls.runSchedule(name, options)
    }

    /**
     * All schedules that were made at run time, by name. Costs what there are of them.
     *
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async schedules(): Promise<Schedule[]> {
        return this.#config.schedules.list()
    }

    /**
     * The next times of a schedule, the one it waits for first; none while it is paused. At most 1,000; 10 if not told.
     *
     * @throws what `pauseSchedule` throws.
     */
    async nextTimes(name: string, count?: number): Promise<Date[]> {
        return this.#config.schedules.nextTimes(name, count)
    }

    /**
     * Reads dead letters: jobs that failed for good, the newest first, with all that their attempts threw.
     *
     * @throws InvalidOptionError before anything is sent.
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async deadLetters(options: DeadLettersOptions = {}): Promise<DeadLetterPage> {
        return this.#config.jobs.deadLetters(options)
    }

    /**
     * Defers a job of a definition by its name, for which this process need not have the code. Where the definition is not
     * registered with this Config, the database has to know it, and `keys` says what only its code could say. The job
     * function validates the payload, or nobody does. Costs one small transaction.
     *
     * @returns the job's id.
     * @throws InvalidOptionError also when there is no such definition, or a key of it is missing.
     * @throws InvalidPayloadError before anything is sent.
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async defer(options: InspectorDeferOptions): Promise<number> {
        return deferByName(this.#core, options)
    }

    /**
     * Whether the queue is as it should be: the database answers, its schema is that of this release, an orchestrator
     * lives, and so does a worker for each channel with ready jobs that no pause holds back. Workers and orchestrators count
     * that were heard of within 30 seconds. Half a dozen small statements.
     *
     * It tells of the whole queue, so let it ring an alarm. A readiness probe of a process may use its checks `database` and
     * `schema`. A liveness probe should use none of it: to restart a process because the database does not answer, or because
     * no other process works, helps nobody.
     *
     * @returns what was found. What cannot be looked at is not healthy, so this does not throw for it.
     */
    async health(): Promise<Health> {
        return checkHealth({ config: this.#config, core: this.#core })
    }

    /**
     * What the server is, what it is set to, and how long a round trip to it takes. Ten small queries, one after the other;
     * works on a schema that is not prepared, too.
     *
     * @throws DatabaseError when the database cannot be reached.
     */
    async server(): Promise<ServerInfo> {
        const { schema } = this.#core
        return inOurWords({ action: "server", schema }, () => inspectServer(this.#core))
    }
}
