import { describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { Settler } from "../../src/work/settler.ts"
import { define } from "../support/define.ts"
import { finalized } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { eventually, makeQueue } from "../support/with-schema.ts"

const OUTCOMES = {
    returns: () => "stale",
    "throws, with attempts left": () => {
        throw new Error("stale")
    },
    "never ends, and times out": () => new Promise<string>(() => undefined),
}

describe.each(Object.entries(OUTCOMES))("a stale worker whose handler %s", (kind, end) => {
    it("changes nothing about the job that another worker runs", async () => {
        const queue = await makeQueue()
        const { sql, schema } = queue
        const [stale, current] = [makeGate(), makeGate()]
        const job = define(
            queue.config,
            async (_payload, { attempt }): Promise<string> => {
                await (attempt === 1 ? stale : current).opened
                return attempt === 1 ? end() : "current"
            },
            { numAttempts: 5, timeoutIntervalMs: kind.includes("times out") ? 700 : 60_000 },
        )
        const staleWorker = queue.worker({ name: "stale", processIntervalMs: 60_000 })
        const jobID = await job.defer({ payload: {} })
        await eventually(async () => (await queue.jobs())[0]?.token === 1)
        await sql.query(`update ${schema}.job set expires_at = clock_timestamp() + interval '1 hour'`)
        await sql.query(
            `update ${schema}.lease set expires_at = clock_timestamp(), revoked_by = pg_current_xact_id()`,
        )
        queue.worker({ name: "current" })
        const [claimed] = await eventually(
            async () => (await queue.jobs())[0]?.token === 2 && (await queue.jobs()),
        )

        stale.open()
        staleWorker.stop()
        await staleWorker.join()

        expect(await queue.jobs()).toEqual([claimed])
        expect(await queue.history()).toEqual([])
        const lost = { eventType: "worker-job-lease-lost", jobID, jobName: "job", attempt: 1 }
        expect(queue.events.filter(({ eventType }) => eventType === "worker-job-lease-lost")).toEqual([lost])

        current.open()
        await finalized(queue, 1)
        expect(await queue.history()).toMatchObject([
            { outcome: "succeeded", result: "current", token: 2, attempt: 2, worker: "current" },
        ])
        expect(await queue.jobs()).toEqual([])
    })
})

describe("a stale worker that is stopped by force", () => {
    it("cannot hand back the job that another worker runs", async () => {
        const queue = await makeQueue()
        const { sql, schema } = queue
        const gate = makeGate()
        const job = define(queue.config, () => gate.opened, { numAttempts: 5 })
        const staleWorker = queue.worker({ processIntervalMs: 60_000 })
        await job.defer({ payload: {} })
        await eventually(async () => (await queue.jobs())[0]?.token === 1)
        await sql.query(
            `update ${schema}.lease set expires_at = clock_timestamp(), revoked_by = pg_current_xact_id()`,
        )
        queue.worker()
        await eventually(async () => (await queue.jobs())[0]?.token === 2)
        staleWorker.stop()
        await staleWorker.join({ graceMs: 0 })
        expect(await queue.jobs()).toMatchObject([{ state: "running", token: 2, attempt: 2 }])
        expect(queue.events.some(({ eventType }) => eventType === "worker-job-return")).toBe(false)
        gate.open()
        await finalized(queue, 1)
        expect(await queue.history()).toMatchObject([{ outcome: "succeeded", token: 2 }])
    })
})

describe("two claims of a job that one worker settles together", () => {
    it("are told apart: only the later one is recorded", async () => {
        const queue = await makeQueue()
        const { sql, schema } = queue
        const job = define(queue.config, () => undefined)
        const [first, id] = await job.deferMany([{ payload: {} }, { payload: {} }])
        await sql.query(`update ${schema}.job set state = 'running', attempt = 2, token = 2`)
        const settler = new Settler({
            core: coreOf(queue.config),
            worker: "worker",
            onError: () => undefined,
        })
        const kept = { keepSucceededMs: null, keepFailedMs: null, gate: null }
        const succeed = (id: number, token: number) =>
            settler.succeed({ id, token, result: null, error: null }, kept)
        const settled = [succeed(first as number, 2), succeed(id as number, 1), succeed(id as number, 2)]
        expect(await Promise.all(settled)).toEqual(["recorded", "lost", "recorded"])
    })
})
