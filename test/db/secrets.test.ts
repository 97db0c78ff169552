import { inspect } from "node:util"
import { describe, expect, inject, it } from "vitest"
import { Config } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalizedJob } from "../support/finalized.ts"
import { eventually, hasServer, makePool, makeQueue } from "../support/with-schema.ts"

const SECRET = "s3cr3t-0f-the-user"

function everythingIn(value: unknown): string {
    return inspect(value, { depth: 10, maxStringLength: null, maxArrayLength: null, showHidden: true })
}

describe.skipIf(!hasServer())("what is secret", () => {
    it.each([
        ["the password is wrong", (url: URL) => url],
        ["nothing listens there", (url: URL) => Object.assign(url, { port: "1" })],
        ["there is no such database", (url: URL) => Object.assign(url, { pathname: "/none" })],
    ])("is in no error when %s", async (_what, change) => {
        const queue = await makeQueue()
        const url = change(new URL(inject("connectionString")))
        url.password = SECRET
        const config = new Config({
            pool: makePool({ connectionString: url.href }),
            schema: queue.schemaName,
        })
        const job = define(config, () => undefined)
        queue.worker({ config })
        const errors = [
            await job.defer({ payload: { SECRET } }).catch((error: unknown) => error),
            await config.prepareSchema().catch((error: unknown) => error),
        ]
        for (const error of errors) expect(error).toMatchObject({ code: "CUCKMQ_DATABASE" })
        const told = await eventually(() =>
            queue.events.filter(({ eventType }) => eventType === "daemon-error"),
        )
        expect(everythingIn([errors, told])).not.toContain(SECRET)
    })

    it("in a payload or a result is in no event", async () => {
        const queue = await makeQueue()
        const job = define(
            queue.config,
            ({ secret }, { attempt }) => {
                if (attempt === 1) throw new Error("first")
                return { secret }
            },
            { numAttempts: 1 },
        )
        queue.worker()
        queue.orchestrator({ cleanIntervalMs: 10, heartbeatIntervalMs: 10 })
        const id = await job.defer({ payload: { secret: SECRET } })
        expect(await finalizedJob(queue, id)).toMatchObject({ result: { secret: SECRET } })
        await eventually(() =>
            queue.events.some(({ eventType }) => eventType === "worker-job-finalize-success"),
        )
        expect(everythingIn(queue.events)).not.toContain(SECRET)
    })
})
