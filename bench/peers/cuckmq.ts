import { Config, JobDefinition, Worker } from "cuckmq"
import pg from "pg"
import type { Handler, MakePeer, Payload, Peer, PeerOptions } from "./peer.ts"

/** Default settings are a concurrency of 1 and a `pg` pool as it comes. Fast: a concurrency of 100. */
export const makeCuckmq: MakePeer = (options) => new Cuckmq(options)

class Cuckmq implements Peer {
    readonly #options: PeerOptions
    readonly #pool: pg.Pool
    readonly #config: Config
    readonly #definition: JobDefinition<Payload>
    #handler: Handler = () => undefined
    #worker: Worker | undefined

    constructor(options: PeerOptions) {
        this.#options = options
        this.#pool = new pg.Pool({ connectionString: options.servers.connectionString })
        this.#config = new Config({ pool: this.#pool, schema: options.schema })
        this.#definition = new JobDefinition({
            config: this.#config,
            name: "bench",
            jobFunction: (payload: Payload) => this.#handler(payload),
        })
    }

    setup(): Promise<void> {
        return this.#config.prepareSchema()
    }

    async connect(): Promise<void> {
        this.#definition.register()
    }

    async enqueueMany(payloads: readonly Payload[]): Promise<void> {
        await this.#definition.deferMany(payloads.map((payload) => ({ payload })))
    }

    async enqueueOne(payload: Payload): Promise<void> {
        await this.#definition.defer({ payload })
    }

    async work(handler: Handler, concurrency?: number): Promise<void> {
        this.#handler = handler
        const wanted = concurrency ?? (this.#options.mode === "fast" ? 100 : undefined)
        this.#worker = new Worker({
            config: this.#config,
            ...(wanted === undefined ? {} : { concurrency: wanted }),
            eventHandler: ({ event }) => {
                if (event.eventType === "daemon-error") console.error(event.activity, event.error)
            },
        })
    }

    async numUnfinished(): Promise<number> {
        const { rows } = await this.#pool.query(`select count(*) as n from ${this.#options.schema}.job`)
        return Number(rows[0].n)
    }

    async rest(): Promise<void> {
        this.#worker?.stop()
        await this.#worker?.join({ graceMs: 1_000 })
    }
}
