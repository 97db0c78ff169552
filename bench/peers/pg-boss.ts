import { PgBoss } from "pg-boss"
import type { Handler, MakePeer, Payload, Peer, PeerOptions } from "./peer.ts"

const QUEUE = "bench"

/**
 * Default: one job every two seconds. Fast: large batches fetched without a pause while they come back full, and,
 * for latency, LISTEN/NOTIFY.
 */
export const makePgBoss: MakePeer = (options) => new Boss(options)

class Boss implements Peer {
    readonly #options: PeerOptions
    readonly #isNotified: boolean
    readonly #boss: PgBoss

    constructor(options: PeerOptions) {
        this.#options = options
        this.#isNotified = options.mode === "fast" && options.goal === "latency"
        this.#boss = new PgBoss({
            connectionString: options.servers.connectionString,
            schema: options.schema,
            ...(options.mode === "fast" ? { max: 25 } : {}),
            ...(this.#isNotified ? { useListenNotify: true } : {}),
        })
        this.#boss.on("error", (error) => console.error(error))
    }

    async setup(): Promise<void> {
        await this.connect()
        await this.#boss.createQueue(QUEUE, this.#isNotified ? { notify: true } : {})
    }

    async connect(): Promise<void> {
        await this.#boss.start()
    }

    async enqueueMany(payloads: readonly Payload[]): Promise<void> {
        await this.#boss.insert(
            QUEUE,
            payloads.map((data) => ({ data })),
        )
    }

    async enqueueOne(payload: Payload): Promise<void> {
        await this.#boss.send(QUEUE, payload)
    }

    async work(handler: Handler, concurrency?: number): Promise<void> {
        await this.#boss.work<Payload>(QUEUE, this.#workOptions(concurrency), async (jobs) => {
            await Promise.all(jobs.map(({ data }) => handler(data)))
        })
    }

    #workOptions(concurrency: number | undefined): object {
        if (this.#options.mode === "default") return {}
        const base = { pollingIntervalSeconds: 0.5, burstWhenBatchFull: true }
        if (this.#options.goal === "latency") return { ...base, batchSize: 10, localConcurrency: 4 }
        if (concurrency === undefined) return { ...base, batchSize: 1_000, localConcurrency: 2 }
        return { ...base, batchSize: concurrency / 4, localConcurrency: 4 }
    }

    async numUnfinished(): Promise<number> {
        const { rows } = await this.#boss
            .getDb()
            .executeSql(
                `select count(*) as n from ${this.#options.schema}.job where name = $1 and state < 'completed'`,
                [QUEUE],
            )
        return Number(rows[0].n)
    }

    async rest(): Promise<void> {
        await this.#boss.offWork(QUEUE)
    }
}
