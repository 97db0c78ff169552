import type pg from "pg"
import { expect, it } from "vitest"
import { Config } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalizedJobs } from "../support/finalized.ts"
import { makeSilentProxy } from "../support/silent-proxy.ts"
import { eventually, hasServer, makePool, makeQueue, queueURL } from "../support/with-schema.ts"

const MAX = 3

it.skipIf(!hasServer())(
    "connections that nothing passes through any more are given up, and replaced",
    async () => {
        const queue = await makeQueue()
        const proxy = await makeSilentProxy(queueURL())
        const pool: pg.Pool = makePool({ connectionString: proxy.url, max: MAX })
        const config = new Config({ pool, schema: queue.schemaName })
        define(config, () => undefined)
        const worker = queue.worker({ config, concurrency: 2 })
        const orchestrator = queue.orchestrator({ config, cleanIntervalMs: 50 })
        const elsewhere = define(queue.otherConfig(), () => undefined)
        const defer = (length: number) => elsewhere.deferMany(Array.from({ length }, () => ({ payload: {} })))
        await finalizedJobs(queue, await defer(10))
        // Every connection of the pool is made, and will be of no use.
        const clients = await Promise.all(Array.from({ length: MAX }, () => pool.connect()))
        for (const client of clients) client.release()
        const old = new Set<unknown>(clients)

        // As after a router forgot what passed through it.
        proxy.fallSilent()
        proxy.speakAgain()
        const ids = await defer(10)
        await eventually(async () => {
            const done = new Set((await queue.history()).map(({ id }) => Number(id)))
            return ids.every((id) => done.has(id))
        }, 40_000)
        const types = () => queue.events.map(({ eventType }) => eventType)
        await eventually(() => types().includes("daemon-error"))
        const fresh = await eventually(async () => {
            const taken = await Promise.all(Array.from({ length: MAX }, () => pool.connect()))
            for (const client of taken) client.release()
            return taken.every((client) => !old.has(client)) && taken
        }, 30_000)
        expect(new Set(fresh).size).toBe(MAX)
        expect(pool.totalCount).toBe(MAX)
        for (const daemon of [worker, orchestrator]) daemon.stop()
        await Promise.all([worker.join(), orchestrator.join()])
    },
    90_000,
)
