import { type Core, coreOf } from "./config.ts"
import { checkedClient, type SqlClient } from "./db/client.ts"
import {
    DEFER_OPTIONS,
    type DeferClient,
    type DeferOptions,
    type Deferral,
    JOB_OPTIONS,
    toNewJob,
} from "./defer-options.ts"
import type { NewJob } from "./enqueuer.ts"
import { type AnyJobDefinitionOptions, toRegisteredJob } from "./job-definition-options.ts"
import { knownOptions, listOf } from "./options.ts"
import type { RegisteredJob } from "./registry.ts"

/** A kind of job: its name, its rules, and the function that does the work. */
export class JobDefinition<Payload extends object, Result = void> {
    readonly #core: Core
    readonly #job: RegisteredJob

    /** @throws InvalidOptionError for an option that is unknown or out of its range. */
    constructor(options: AnyJobDefinitionOptions<Payload, Result>) {
        this.#job = toRegisteredJob(options)
        this.#core = coreOf(options.config)
        this.#core.registry.adopt(this, this.#job)
    }

    /** The definition's name. */
    get name(): string {
        return this.#job.name
    }

    /**
     * Makes the definition known to its Config, so that the Config's workers run its jobs and its orchestrators
     * repeat and vouch for it. Call it before you construct them. Processes that only defer need not call it.
     *
     * @throws DuplicateDefinitionError when a definition of this name is registered already.
     */
    register(): void {
        this.#core.registry.register(this.#job)
    }

    /**
     * Defers one job. When the promise resolves, the job is committed, or, with `client`, part of your transaction.
     * Concurrent calls share statements, so call it as often as you like; one call costs one round trip.
     *
     * @returns the job's id.
     * @throws InvalidPayloadError, InvalidOptionError before anything is sent.
     * @throws DependencyNotFoundError when a job to depend on does not exist; your transaction stays usable.
     * @throws SchemaNotPreparedError, DatabaseError from the database. When the connection broke, the job may or
     * may not have been deferred.
     */
    async defer(options: DeferOptions<Payload> & DeferClient): Promise<number> {
        return (await this.#defer("defer", options)).id
    }

    /**
     * Defers one job, and says what that did when another job had its key.
     *
     * @returns the id of the job that stands, and whether it is new.
     * @throws what `defer` throws.
     */
    async deferDetailed(options: DeferOptions<Payload> & DeferClient): Promise<Deferral> {
        return this.#defer("deferDetailed", options)
    }

    /**
     * Defers many jobs, all or none, up to 5,000 in a round trip.
     *
     * @returns the jobs' ids, in the order given.
     * @throws what `defer` throws.
     */
    async deferMany(jobs: readonly DeferOptions<Payload>[], options: DeferClient = {}): Promise<number[]> {
        return (await this.#deferMany("deferMany", jobs, options)).map(({ id }) => id)
    }

    /**
     * Defers many jobs, all or none, and says what that did when other jobs had their keys. Those of one key are deferred in
     * their order.
     *
     * @returns for each the id of the job that stands, and whether it is new, in the order given.
     * @throws what `defer` throws.
     */
    async deferManyDetailed(
        jobs: readonly DeferOptions<Payload>[],
        options: DeferClient = {},
    ): Promise<Deferral[]> {
        return this.#deferMany("deferManyDetailed", jobs, options)
    }

    #defer(owner: string, options: DeferOptions<Payload> & DeferClient): Promise<Deferral> {
        const job = this.#toNewJob(owner, options, DEFER_OPTIONS)
        return this.#core.enqueuer.defer(job, toClient(options.client))
    }

    #deferMany(
        owner: string,
        jobs: readonly DeferOptions<Payload>[],
        options: DeferClient,
    ): Promise<Deferral[]> {
        knownOptions(owner, options, ["client"])
        const ownerOfJob = `a job of ${owner}`
        const newJobs = listOf({
            option: "jobs",
            expected: "an array of jobs",
            value: jobs,
            check: (_option, job) => this.#toNewJob(ownerOfJob, job as DeferOptions<Payload>, JOB_OPTIONS),
        })
        return this.#core.enqueuer.deferAll(newJobs, toClient(options.client))
    }

    #toNewJob(owner: string, options: DeferOptions<Payload>, known: readonly string[]): NewJob {
        const { maxPayloadBytes } = this.#core
        return toNewJob({ owner, options, known, definition: this.#job, maxPayloadBytes })
    }
}

function toClient(client: SqlClient | undefined): SqlClient | undefined {
    return client === undefined ? undefined : checkedClient(client)
}
