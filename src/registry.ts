import { CronRule } from "./cron/cron-rule.ts"
import type { Database } from "./db/database.ts"
import type { Run } from "./db/driver.ts"
import type { QuotedSchema } from "./db/identifier.ts"
import { DuplicateDefinitionError } from "./errors.ts"
import type { JobContext } from "./job-context.ts"
import { type DefinitionRow, ensureDefinition, findDefinition } from "./statements/definitions.ts"
import { databaseNowMs } from "./statements/find-due-repeats.ts"
import type { Query } from "./statements/query.ts"
import type { ThreadPool } from "./threads/thread-pool.ts"
import type { UniqueRule } from "./unique-jobs.ts"

/** A run of a job function. */
export interface JobCall {
    /** As JSON text. */
    readonly payload: string
    readonly context: JobContext
    /** The threads of the worker. */
    readonly threads: ThreadPool
}

/** A job definition as those see it who run its jobs. */
export interface RegisteredJob extends DefinitionRow {
    /** Milliseconds that an attempt may take; null for as many as it likes. */
    attemptTimeoutMs: number | null
    /** How its jobs get their keys; null when they have none. */
    unique: UniqueRule | null
    /** Milliseconds before the next attempt after a failed one. */
    retryDelayMs(params: { attempt: number; error: unknown }): number
    /** Whether the job function needs a thread to itself. */
    runsInThread: boolean
    /** Runs the job function. */
    run(call: JobCall): unknown
}

/** The definitions of one Config: those registered, and the ids that the database knows them by. */
export class Registry {
    readonly #database: Database
    readonly #schema: QuotedSchema
    readonly #registered = new Map<string, RegisteredJob>()
    readonly #ids = new Map<string, number>()
    readonly #asked = new Map<string, Promise<number>>()
    readonly #definitions = new WeakMap<object, RegisteredJob>()

    constructor(params: { database: Database; schema: QuotedSchema }) {
        this.#database = params.database
        this.#schema = params.schema
    }

    /** Remembers what a definition of the user's is, registered or not. */
    adopt(definition: object, job: RegisteredJob): void {
        this.#definitions.set(definition, job)
    }

    /** What a definition of the user's is; undefined for what was not made with this Config. */
    jobOf(definition: object): RegisteredJob | undefined {
        return this.#definitions.get(definition)
    }

    register(job: RegisteredJob): void {
        if (this.#registered.has(job.name)) throw new DuplicateDefinitionError(job.name)
        this.#registered.set(job.name, job)
    }

    /** The registered definitions. */
    jobs(): RegisteredJob[] {
        return [...this.#registered.values()]
    }

    /** The id of a definition in the database, which it is written to at first use. */
    async idOf(definition: DefinitionRow): Promise<number> {
        const known = this.#ids.get(definition.name)
        if (known !== undefined) return known
        // One that is under way may have begun before the schema was prepared: its failure says nothing about now.
        const underWay = this.#asked.get(definition.name)
        return (await underWay?.catch(() => undefined)) ?? this.#askOnce(definition)
    }

    #askOnce(definition: DefinitionRow): Promise<number> {
        const underWay = this.#asked.get(definition.name)
        if (underWay !== undefined) return underWay
        const asked = this.#ask(definition).finally(() => this.#asked.delete(definition.name))
        this.#asked.set(definition.name, asked)
        return asked
    }

    async #ask(definition: DefinitionRow): Promise<number> {
        const { run } = this.#database
        const id = await writeDefinition({ run, schema: this.#schema, definition })
        this.#ids.set(definition.name, id)
        return id
    }

    /**
     * The id of a definition, found or written with the caller's transaction. What is written there may be rolled
     * back, so it is not remembered. It does not wait for `idOf`, which may wait for the caller's connection.
     */
    async idWithin(run: Run, definition: DefinitionRow): Promise<number> {
        const known = this.#ids.get(definition.name)
        if (known !== undefined) return known
        const query = { run, schema: this.#schema }
        return (
            (await findDefinition({ ...query, name: definition.name })) ??
            writeDefinition({ ...query, definition })
        )
    }

    /** Forgets the id of a definition that is no longer in the database, or is retired there. */
    forget(name: string): void {
        this.#ids.delete(name)
    }
}

/** Writes a definition down. The first tick of a cron expression is reckoned here, from the database's clock. */
async function writeDefinition({
    run,
    schema,
    definition,
}: Query & { definition: DefinitionRow }): Promise<number> {
    const { repeatCron } = definition
    const cronTickMs =
        repeatCron === null ? null : (new CronRule(repeatCron).after(await databaseNowMs({ run })) ?? null)
    return ensureDefinition({ run, schema, definition, cronTickMs })
}
