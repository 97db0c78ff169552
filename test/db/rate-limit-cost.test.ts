import { expect, it } from "vitest"
import { Config, JobDefinition, Worker } from "../../src/index.ts"
import { eventually, hasServer, makePool, makeQueue } from "../support/with-schema.ts"

it.runIf(hasServer())("a job that waits for its release costs nothing while others run", async () => {
    const queue = await makeQueue()
    const pool = makePool()
    const statements: string[] = []
    pool.on("connect", (client) => {
        const query = client.query.bind(client) as (...args: unknown[]) => unknown
        client.query = ((...args: [{ text?: string } | string]) => {
            const [first] = args
            statements.push((typeof first === "string" ? first : first.text)?.split("\n")[0] ?? "")
            return query(...args)
        }) as typeof client.query
    })
    const config = new Config({ pool, schema: queue.schemaName })
    const limited = new JobDefinition({
        config,
        name: "limited",
        releaseIntervalMs: 60_000,
        jobFunction: (_payload: {}) => undefined,
    })
    const plain = new JobDefinition({
        config,
        name: "plain",
        jobFunction: (_payload: {}) => new Promise<void>((resolve) => setTimeout(resolve, 2)),
    })
    for (const definition of [limited, plain]) definition.register()
    await limited.deferMany([{ payload: {} }, { payload: {} }])
    await plain.deferMany(Array.from({ length: 1_000 }, () => ({ payload: {} })))
    const worker = new Worker({ config, concurrency: 4 })
    await eventually(async () => (await queue.history()).length === 1_001)
    worker.stop()
    await worker.join()
    const numLooks = statements.filter((name) => name.includes("look-around")).length
    expect(numLooks).toBeLessThan(30)
})
