import type { Core } from "./core.ts"
import type { Pool } from "./db/client.ts"
import { Database } from "./db/database.ts"
import { inOurWords } from "./db/failure.ts"
import { quoteSchema } from "./db/identifier.ts"
import { Enqueuer } from "./enqueuer.ts"
import { InvalidOptionError } from "./errors.ts"
import { Hints } from "./hints.ts"
import { JobCounter } from "./job-counter.ts"
import { JobLogs } from "./job-logs.ts"
import { Jobs } from "./jobs.ts"
import { knownOptions, trueOrFalse, wholeNumber } from "./options.ts"
import { type Pause, type PauseOptions, Pauses, type PauseTarget } from "./pauses.ts"
import { Registry } from "./registry.ts"
import { Schedules } from "./schedules.ts"
import { migrate, migrationStates, migrationText } from "./schema/migrate.ts"

export type { Core } from "./core.ts"

/** The options of a Config. */
export interface ConfigOptions {
    /**
     * Where the jobs are: a `pg` Pool, or a PGlite instance for a database inside the process. The pool stays yours:
     * end it after your daemons have stopped. A pool of one connection is enough; with two, claiming and settling
     * overlap. Workers also open one connection of their own, outside the pool, to hear of new jobs.
     */
    pool: Pool
    /**
     * The schema in which the tables are created. Any name that Postgres accepts, quoted for you.
     * Default `_cuckmq`.
     */
    schema?: string
    /**
     * The largest payload and the largest result, in bytes of JSON. Default 1,048,576 (1 MiB); at most 256 MiB.
     * A larger payload is refused with `InvalidPayloadError`; a larger result is not kept.
     */
    maxPayloadBytes?: number
    /**
     * Whether connections of the pool keep the small statements of the hot path prepared, under names that begin with
     * `cuckmq_`. Default `true`: it saves almost a third of the time of a single `defer`. The first use of a pool finds out
     * whether connections are the server's own, by one small query: through a pooler nothing is prepared, nor on PGlite.
     */
    preparedStatements?: boolean
}

/** A migration: a step by which the tables come to be what a release of cuckmq needs. */
export interface Migration {
    /** Its number. They are applied in the order of these. */
    version: number
    /** What it does, in a few words. */
    name: string
    /** When it was applied; null for one that is missing. */
    appliedAt: Date | null
    /** Whether this release has it. If not, a later one, or another branch, has applied it. */
    isKnown: boolean
}

/** The defaults of `ConfigOptions`. */
export const CONFIG_DEFAULTS = Object.freeze({
    schema: "_cuckmq",
    maxPayloadBytes: 1024 * 1024,
    preparedStatements: true,
})

const MAX_PAYLOAD_LIMIT = 256 * 1024 * 1024

/** The parts behind a Config, for the library's own use. */
export let coreOf: (config: Config) => Core

/** A queue: a pool, a schema, and the definitions of its jobs. Make one and share it. */
export class Config {
    readonly #core: Core
    readonly #pauses: Pauses
    /** What can be done about jobs that were deferred: to cancel them, change their priority, or replay those that failed. */
    readonly jobs: Jobs
    /** Schedules that are made, changed and removed at run time. */
    readonly schedules: Schedules

    static {
        coreOf = (config) => {
            if (typeof config === "object" && config !== null && #core in config) return config.#core
            throw new InvalidOptionError({
                option: "config",
                message: "expected `config` to be a Config of this copy of cuckmq",
            })
        }
    }

    /** @throws InvalidOptionError for an option that is unknown or out of its range. */
    constructor(options: ConfigOptions) {
        knownOptions("Config", options, ["pool", "schema", "maxPayloadBytes", "preparedStatements"])
        const schemaName = options.schema ?? CONFIG_DEFAULTS.schema
        const schema = quoteSchema(schemaName)
        const maxPayloadBytes = wholeNumber(
            "maxPayloadBytes",
            options.maxPayloadBytes ?? CONFIG_DEFAULTS.maxPayloadBytes,
            MAX_PAYLOAD_LIMIT,
        )
        const preparedStatements = trueOrFalse(
            "preparedStatements",
            options.preparedStatements ?? CONFIG_DEFAULTS.preparedStatements,
        )
        const database = new Database(options.pool, { preparedStatements })
        const registry = new Registry({ database, schema })
        const hints = new Hints({ database, schema: schemaName })
        this.#core = Object.freeze({
            database,
            schema,
            schemaName,
            maxPayloadBytes,
            registry,
            hints,
            enqueuer: new Enqueuer({ database, schema, registry, hints }),
            counter: new JobCounter({ database, schema }),
            logs: new JobLogs({ database, schema }),
            run: database.run,
        })
        this.#pauses = new Pauses(this.#core)
        this.jobs = new Jobs(this.#core)
        this.schedules = new Schedules({ database, schema, registry, hints, maxPayloadBytes })
    }

    /** The name of the schema that the tables are in. */
    get schema(): string {
        return this.#core.schemaName
    }

    /**
     * Creates the tables, or brings them up to this release. May be called by any number of processes at once, as
     * often as you like; costs one small query when there is nothing to do.
     *
     * @throws DatabaseError when the database cannot be reached or refuses.
     */
    async prepareSchema(): Promise<void> {
        const { database, schema, schemaName } = this.#core
        await inOurWords({ action: "prepareSchema", schema }, () =>
            migrate({ database, schema, name: schemaName }),
        )
    }

    /**
     * The migrations of this release, and those of others that the database has besides, by their versions. Those that are
     * not applied are what `prepareSchema` would apply. Writes nothing.
     *
     * @throws DatabaseError when the database cannot be reached or refuses.
     */
    async migrations(): Promise<Migration[]> {
        const { run, schema } = this.#core
        const states = await inOurWords({ action: "migrations", schema }, () =>
            migrationStates({ run, schema }),
        )
        return states.map(({ version, name, appliedAtMs, isKnown }) => ({
            version,
            name,
            appliedAt: appliedAtMs === null ? null : new Date(appliedAtMs),
            isKnown,
        }))
    }

    /**
     * What `prepareSchema` would do, as SQL text in one transaction, for those who apply it themselves; empty when nothing
     * is missing. Writes nothing.
     *
     * @throws DatabaseError when the database cannot be reached or refuses.
     */
    async migrationSQL(): Promise<string> {
        const { run, schema, schemaName: name } = this.#core
        return inOurWords({ action: "migrationSQL", schema }, () => migrationText({ run, schema, name }))
    }

    /**
     * Pauses a definition, one key of it, a channel, or everything: once this has resolved, no worker takes a job of it from
     * the queue, until `resume`. What runs goes on to its end, a claim that was under way may still bring jobs, and what
     * workers had claimed ahead, of jobs that take milliseconds, is handed back as soon as they hear of the pause: at once
     * where LISTEN is heard, or within `processIntervalMs`. Jobs may be deferred and become due, definitions go on
     * repeating, and timeouts go on as well. A pause is in the database and outlives every process. Pausing what is paused
     * already changes no more than the reason.
     *
     * @throws InvalidOptionError before anything is sent, also for a key of a definition that is registered with this Config
     * and has no keys.
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async pause(target: PauseTarget, options: PauseOptions = {}): Promise<void> {
        return this.#pauses.add(target, options)
    }

    /**
     * Ends a pause, and wakes workers. Each target is a pause of its own: to resume everything does not resume a channel
     * that was paused by itself.
     *
     * @returns whether the target was paused.
     * @throws what `pause` throws.
     */
    async resume(target: PauseTarget): Promise<boolean> {
        return this.#pauses.remove(target)
    }

    /**
     * What is paused, the longest first.
     *
     * @throws SchemaNotPreparedError, DatabaseError from the database.
     */
    async pauses(): Promise<Pause[]> {
        return this.#pauses.list()
    }
}
