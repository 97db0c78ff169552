import { createPostgresBackend, Queue, Worker } from "bullmq"
import type { Handler, MakePeer, Payload, Peer, PeerOptions } from "./peer.ts"

/** Default: one job at a time, finished jobs kept. Fast: a concurrency of 100, finished jobs removed. */
export const makeBullmqOnRedis: MakePeer = (options) => new Bullmq(options, "redis")
export const makeBullmqOnPostgres: MakePeer = (options) => new Bullmq(options, "postgres")

const JOB = "job"
const FAST_CONCURRENCY = 100

class Bullmq implements Peer {
    readonly #options: PeerOptions
    readonly #store: "redis" | "postgres"
    #queue: Queue | undefined
    #worker: Worker | undefined

    constructor(options: PeerOptions, store: "redis" | "postgres") {
        this.#options = options
        this.#store = store
    }

    async setup(): Promise<void> {
        await this.#open({ migrate: true })
    }

    async connect(): Promise<void> {
        if (this.#queue === undefined) await this.#open({})
    }

    async #open(migration: object): Promise<void> {
        const { schema, mode } = this.#options
        const remove = { removeOnComplete: true, removeOnFail: true }
        const options = { defaultJobOptions: mode === "fast" ? remove : {} }
        this.#queue = (
            this.#store === "redis"
                ? new Queue(schema, { ...options, connection: this.#redis() })
                : new Queue(
                      schema,
                      { ...options, connection: { ...this.#postgres(), ...migration } },
                      createPostgresBackend,
                  )
        ) as Queue
        await this.#queue.waitUntilReady()
    }

    async enqueueMany(payloads: readonly Payload[]): Promise<void> {
        await this.#queue?.addBulk(payloads.map((data) => ({ name: JOB, data })))
    }

    async enqueueOne(payload: Payload): Promise<void> {
        await this.#queue?.add(JOB, payload)
    }

    async work(handler: Handler, concurrency?: number): Promise<void> {
        const { schema, mode } = this.#options
        const wanted = concurrency ?? (mode === "fast" ? FAST_CONCURRENCY : undefined)
        const options = wanted === undefined ? {} : { concurrency: wanted }
        const process = async (job: { data: Payload }) => {
            await handler(job.data)
        }
        this.#worker = (
            this.#store === "redis"
                ? new Worker(schema, process, { ...options, connection: this.#redis() })
                : new Worker(
                      schema,
                      process,
                      { ...options, connection: this.#postgres() },
                      createPostgresBackend,
                  )
        ) as Worker
        this.#worker.on("error", (error) => console.error(error))
        await this.#worker.waitUntilReady()
    }

    #redis(): { host: string; port: number; maxRetriesPerRequest: null } {
        const { redisPort } = this.#options.servers
        if (redisPort === undefined) throw new Error("there is no Redis")
        return { host: "127.0.0.1", port: redisPort, maxRetriesPerRequest: null }
    }

    #postgres(): { connectionString: string; schema: string; max?: number } {
        const { servers, schema, mode } = this.#options
        const { connectionString } = servers
        return { connectionString, schema, ...(mode === "fast" ? { max: 25 } : {}) }
    }

    async numUnfinished(): Promise<number> {
        const counts = (await this.#queue?.getJobCounts("waiting", "active", "prioritized", "delayed")) ?? {}
        return Object.values(counts).reduce((sum, count) => sum + count, 0)
    }

    async rest(): Promise<void> {
        await this.#worker?.close()
        this.#worker = undefined
    }
}
