import type { Pool } from "pg"
import { coreOf } from "../../../src/config.ts"
import { Config, JobDefinition, type SqlClient } from "../../../src/index.ts"
import type { KnownDefinition } from "../../../src/work/claimer.ts"
import type { Queue } from "../../support/with-schema.ts"
import type { Oracle } from "./oracle.ts"
import { type SteppedRun, SteppedWorker } from "./stepped-worker.ts"

/** What every job carries, so that no row can be taken for another's. */
export interface Payload {
    key: number
}

/** Far enough that nothing of it comes to pass by itself. */
export const HOUR_MS = 60 * 60_000

/** What a handler throws; the definition's `retryDelayMs` does as it says. */
export class Failure extends Error {
    readonly delayMs: number

    constructor(delayMs: number) {
        super("told to fail")
        this.delayMs = delayMs
    }
}

/** What a real worker's handler returns. */
export const DRAINED = "drained"

const NUM_ATTEMPTS: Record<string, number> = { once: 0, twice: 1, often: 3 }
const PRIORITIES: Record<string, number> = { twice: 2 }

/** The real side: a schema, and the processes that use it. */
export class World {
    readonly queue: Queue
    readonly workers: SteppedWorker[] = []
    #numWorkers = 0
    /** The database's last number when it was compared last. */
    lastPosition = 0
    #config: Config
    #definitions = new Map<string, JobDefinition<Payload, string>>()
    #known: KnownDefinition[] = []
    #numKeys = 0

    private constructor(queue: Queue) {
        this.queue = queue
        this.#config = this.#makeConfig()
    }

    /** Empties the queue, and begins anew on both sides. */
    static async begin(queue: Queue, oracle: Oracle): Promise<World> {
        for (const table of [
            "job",
            "job_history",
            "job_dependency",
            "lease",
            "job_priority",
            "job_definition",
            "pause",
            "operation",
        ])
            await queue.sql.query(`delete from ${queue.schema}.${table}`)
        const world = new World(queue)
        for (const [name, numAttempts] of Object.entries(NUM_ATTEMPTS)) {
            const numbers = { numAttempts, priority: PRIORITIES[name] ?? 0 }
            oracle.definitions.set(name, { ...numbers, isStale: false, isRetired: false })
            world.#define(name, numbers)
        }
        await world.#announceDefinitions()
        return world
    }

    get config(): Config {
        return this.#config
    }

    get runs(): SteppedRun[] {
        return this.workers.flatMap(({ runs }) => [...runs])
    }

    /** Workers that still claim. */
    get awake(): SteppedWorker[] {
        return this.workers.filter(({ isSilent }) => !isSilent)
    }

    definition(name: string): JobDefinition<Payload, string> {
        const definition = this.#definitions.get(name)
        if (definition === undefined) throw new Error(`no definition ${name}`)
        return definition
    }

    payload(): Payload {
        return { key: ++this.#numKeys }
    }

    startWorker(): SteppedWorker {
        const name = `worker ${++this.#numWorkers}`
        const worker = new SteppedWorker({ core: coreOf(this.#config), worker: name })
        this.workers.push(worker)
        return worker
    }

    /** The definitions as a worker knows them that has learned their ids before. */
    known(names: readonly string[]): KnownDefinition[] {
        return this.#known.filter(({ definition }) => names.includes(definition.name))
    }

    /** Asks for the id of a definition, which is remembered or written down. */
    async learn(name: string): Promise<void> {
        const { registry } = coreOf(this.#config)
        for (const job of registry.jobs()) if (job.name === name) await registry.idOf(job)
    }

    /** Runs work in a transaction of the caller's own; rolls back when it throws. */
    async transaction(work: (client: SqlClient) => Promise<void>): Promise<void> {
        const client = await (this.queue.pool as unknown as Pool).connect()
        try {
            await client.query("begin")
            await work(client)
            await client.query("commit")
        } catch (error) {
            await client.query("rollback")
            throw error
        } finally {
            client.release()
        }
    }

    /** Lets the leases of a worker lapse, without the wait. */
    async lapse(worker: SteppedWorker): Promise<void> {
        worker.isSilent = true
        const { sql, schema } = this.queue
        await sql.query(
            `update ${schema}.lease set expires_at = clock_timestamp() - interval '1 s' where worker = $1`,
            [worker.worker],
        )
    }

    /** Stops a worker, which hands back what it runs. */
    async stop(worker: SteppedWorker): Promise<void> {
        await worker.stop()
        this.workers.splice(this.workers.indexOf(worker), 1)
    }

    /** A new release of the process: the same definitions, one of them changed. */
    async deploy(oracle: Oracle): Promise<void> {
        this.#config = this.#makeConfig()
        this.#definitions = new Map()
        for (const [name, numbers] of oracle.definitions) this.#define(name, numbers)
        await this.#announceDefinitions()
    }

    async end(): Promise<void> {
        await Promise.all(this.workers.map((worker) => worker.stop()))
    }

    #makeConfig(): Config {
        return new Config({ pool: this.queue.pool, schema: this.queue.schemaName })
    }

    #define(name: string, { numAttempts, priority }: { numAttempts: number; priority: number }): void {
        const definition = new JobDefinition<Payload, string>({
            config: this.#config,
            name,
            numAttempts,
            priority,
            retryDelayMs: ({ error }) => (error instanceof Failure ? error.delayMs : HOUR_MS),
            // No lease is renewed or lapses unless the model says so.
            lockIntervalMs: HOUR_MS,
            jobFunction: () => DRAINED,
        })
        definition.register()
        this.#definitions.set(name, definition)
    }

    async #announceDefinitions(): Promise<void> {
        const { registry } = coreOf(this.#config)
        this.#known = []
        for (const definition of registry.jobs())
            this.#known.push({ id: await registry.idOf(definition), definition })
    }
}
