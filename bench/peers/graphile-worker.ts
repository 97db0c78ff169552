import { Logger, makeWorkerUtils, type Runner, run, type WorkerUtils } from "graphile-worker"
import pg from "pg"
import type { Handler, MakePeer, Payload, Peer, PeerOptions } from "./peer.ts"

const TASK = "bench"

/** Default: one job at a time. Fast: the settings on worker.graphile.org/docs/performance. */
export const makeGraphileWorker: MakePeer = (options) => new GraphileWorker(options)

const silent = new Logger(() => () => undefined)

class GraphileWorker implements Peer {
    readonly #options: PeerOptions
    #utils: WorkerUtils | undefined
    #runner: Runner | undefined

    constructor(options: PeerOptions) {
        this.#options = options
    }

    async setup(): Promise<void> {
        await this.connect()
        await this.#utils?.migrate()
    }

    async connect(): Promise<void> {
        this.#utils ??= await makeWorkerUtils({ preset: this.#preset() })
    }

    async enqueueMany(payloads: readonly Payload[]): Promise<void> {
        await this.#utils?.addJobs(payloads.map((payload) => ({ identifier: TASK, payload })))
    }

    async enqueueOne(payload: Payload): Promise<void> {
        await this.#utils?.addJob(TASK, payload)
    }

    async work(handler: Handler, concurrency?: number): Promise<void> {
        this.#runner = await run({
            preset: this.#preset(concurrency),
            noHandleSignals: true,
            taskList: {
                [TASK]: async (payload) => {
                    await handler(payload as Payload)
                },
            },
        })
    }

    #preset(concurrency?: number): GraphileConfig.Preset {
        const { servers, schema, mode, goal } = this.#options
        const fast = {
            concurrentJobs: concurrency ?? 24,
            maxPoolSize: 25,
            // Jobs that wait in a local queue are picked up later.
            ...(goal === "rate"
                ? { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }
                : {}),
        }
        return {
            worker: {
                connectionString: servers.connectionString,
                schema,
                logger: silent,
                ...(mode === "fast" ? fast : {}),
            },
        }
    }

    async numUnfinished(): Promise<number> {
        const client = new pg.Client({ connectionString: this.#options.servers.connectionString })
        await client.connect()
        const { rows } = await client.query(
            `select count(*) as n from ${this.#options.schema}._private_jobs where attempts < max_attempts`,
        )
        await client.end()
        return Number(rows[0].n)
    }

    async rest(): Promise<void> {
        await this.#runner?.stop()
        this.#runner = undefined
    }
}
