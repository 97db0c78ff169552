import pg from "pg"
import { expect, it, onTestFinished } from "vitest"
import { healthResponse } from "../../src/dashboard.ts"
import { Config } from "../../src/index.ts"
import { shiftedClock } from "../support/clock.ts"
import { define } from "../support/define.ts"
import { freePort } from "../support/unprivileged.ts"
import { eventually, makeQueue } from "../support/with-schema.ts"

it("says whether the queue is healthy, and which check is not, but no details", async () => {
    const queue = await makeQueue()
    await define(queue.config, () => undefined, { channel: "a secret" }).defer({ payload: {} })
    const response = await healthResponse(queue.config)
    expect(response.status).toBe(503)
    expect(response.headers.get("cache-control")).toBe("no-store")
    expect(await response.json()).toEqual({
        isHealthy: false,
        checks: [
            { name: "database", isOK: true },
            { name: "schema", isOK: true },
            { name: "orchestrators", isOK: false },
            { name: "workers", isOK: false },
        ],
    })
    queue.orchestrator()
    queue.worker({ channel: "a secret" })
    await eventually(async () => (await healthResponse(queue.config)).status === 200)
    expect(await (await healthResponse(queue.config)).json()).toMatchObject({ isHealthy: true })
})

it("looks once a second, however often and by however many it is asked", async () => {
    const clock = shiftedClock()
    const queue = await makeQueue()
    const texts = async () =>
        Promise.all([1, 2, 3].map(async () => (await healthResponse(queue.config)).text()))
    const [first = ""] = await texts()
    await queue.sql.query(`drop schema ${queue.schema} cascade`)
    // As it was, though nothing is as it was.
    expect(await texts()).toEqual([first, first, first])
    clock.shift(1_001)
    const [later = ""] = await texts()
    expect(JSON.parse(later)).toMatchObject({
        checks: [{ isOK: true }, { isOK: false }, { isOK: false }, { isOK: false }],
    })
    expect(later).not.toContain(queue.schemaName)
})

it("answers 503 where the database cannot be asked, and throws for what is no Config", async () => {
    const pool = new pg.Pool({ host: "127.0.0.1", port: await freePort() })
    onTestFinished(() => pool.end())
    const response = await healthResponse(new Config({ pool }))
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ isHealthy: false, checks: [{ isOK: false }, {}, {}, {}] })
    await expect(healthResponse({} as never)).rejects.toThrow(/`config`/)
})
