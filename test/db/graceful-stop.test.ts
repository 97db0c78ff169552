import { describe, expect, it } from "vitest"
import { ShutdownError } from "../../src/index.ts"
import { aborted, define } from "../support/define.ts"
import { finalized, rowID } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { openSession, untilWaitingForLock } from "../support/transaction.ts"
import { eventually, hasServer, makeQueue } from "../support/with-schema.ts"

describe("a worker that is asked to stop", () => {
    it("waits for the handlers that run, and claims nothing more", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        const job = define(queue.config, () => gate.opened)
        const worker = queue.worker({ concurrency: 2 })
        const runningID = await job.defer({ payload: {} })
        await eventually(() => queue.events.some(({ eventType }) => eventType === "worker-job-dequeue"))
        worker.stop()
        const lateID = await job.defer({ payload: {} })
        let hasEnded = false
        const joined = worker.join().then(() => {
            hasEnded = true
        })
        // Another worker is there, so whoever claims would have had the time.
        const other = define(queue.config, () => undefined, { name: "other", channel: "other" })
        queue.worker({ channel: "other" })
        await other.defer({ payload: {} })
        await finalized(queue, 1)
        expect(hasEnded).toBe(false)
        gate.open()
        await joined
        expect((await queue.history()).map(({ id }) => Number(id))).toContain(runningID)
        expect(await queue.jobs()).toMatchObject([
            { id: rowID(lateID), state: "ready", attempt: 0, lease_id: null },
        ])
    })

    it("hands back the jobs that it has claimed ahead, uncharged", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        const job = define(queue.config, ({ n }) => (n === 400 ? gate.opened : undefined))
        await job.deferMany(Array.from({ length: 1_000 }, (_, n) => ({ payload: { n: n + 1 } })))
        const worker = queue.worker({ processIntervalMs: 60_000 })
        const isAtGate = `select exists (select from ${queue.schema}.job where payload ->> 'n' = '400'
            and state = 'running') and not exists (select from ${queue.schema}.job where payload ->> 'n' = '399') as yes`
        await eventually(async () => (await queue.sql.query(isAtGate)).rows[0]?.yes)
        worker.stop()
        gate.open()
        await worker.join()
        const jobs = await queue.jobs()
        expect(jobs).toHaveLength(600)
        expect(jobs.every(({ state, attempt }) => state === "ready" && attempt === 0)).toBe(true)
        const ahead = jobs.filter(({ token }) => Number(token) > 0)
        expect(ahead.length).toBeGreaterThan(0)
        const returned = queue.events.filter(({ eventType }) => eventType === "worker-job-return")
        expect(returned).toHaveLength(ahead.length)
    })

    it("leaves no lease that another worker would have to wait for", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => new Promise(() => undefined))
        const worker = queue.worker()
        await job.defer({ payload: {} })
        await eventually(() => queue.events.some(({ eventType }) => eventType === "worker-job-dequeue"))
        worker.stop()
        await worker.join({ graceMs: 0 })
        expect(await queue.jobs()).toMatchObject([{ state: "ready", lease_id: null }])
        const live = `select from ${queue.schema}.lease where revoked_by is null`
        expect((await queue.sql.query(live)).rows).toEqual([])
    })

    it.skipIf(!hasServer())("while a claim is under way hands back what the claim brings", async () => {
        const queue = await makeQueue()
        let numRuns = 0
        const job = define(queue.config, () => void numRuns++)
        await job.defer({ payload: {} })
        const session = await openSession()
        await session.query("begin")
        // Lets the worker see the job, but not claim it.
        await session.query(`lock table ${queue.schema}.job in exclusive mode`)
        const worker = queue.worker()
        await untilWaitingForLock(queue)
        worker.stop()
        await session.query("commit")
        await worker.join()
        expect(numRuns).toBe(0)
        expect(await queue.jobs()).toMatchObject([{ state: "ready", attempt: 0, token: 1 }])
    })
})

describe("a worker whose grace is over", () => {
    it("aborts the signal with ShutdownError and hands the job back, uncharged", async () => {
        const queue = await makeQueue()
        let reason: unknown
        const job = define(queue.config, async (_payload, { signal }) => {
            reason = await aborted(signal)
            throw reason
        })
        const worker = queue.worker()
        const jobID = await job.defer({ payload: {} })
        await eventually(() => queue.events.some(({ eventType }) => eventType === "worker-job-dequeue"))
        worker.stop()
        await worker.join({ graceMs: 50 })
        expect(reason).toBeInstanceOf(ShutdownError)
        expect(await queue.jobs()).toMatchObject([
            { state: "ready", attempt: 0, lease_id: null, errors: null },
        ])
        const about = { jobID, jobName: "job", attempt: 1 }
        expect(queue.events).toContainEqual({ eventType: "worker-job-return", ...about })
        expect(queue.events.some(({ eventType }) => eventType === "worker-job-error")).toBe(false)
    })

    it("records the outcome of a handler that ends well when its signal is aborted", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, async (_payload, { signal }) => {
            await aborted(signal)
            return "in time"
        })
        const worker = queue.worker()
        await job.defer({ payload: {} })
        await eventually(() => queue.events.some(({ eventType }) => eventType === "worker-job-dequeue"))
        worker.stop()
        await worker.join({ graceMs: 50 })
        expect(await queue.history()).toMatchObject([{ outcome: "succeeded", result: "in time" }])
    })

    it("does not wait for a handler that ignores its signal, whose end then changes nothing", async () => {
        const queue = await makeQueue()
        const [ignorant, second] = [makeGate(), makeGate()]
        let numRuns = 0
        const job = define(queue.config, () => (++numRuns === 1 ? ignorant.opened : second.opened))
        const worker = queue.worker()
        await job.defer({ payload: {} })
        await eventually(() => numRuns === 1)
        worker.stop()
        await worker.join({ graceMs: 50 })
        queue.worker()
        const [claimed] = await eventually(async () => numRuns === 2 && (await queue.jobs()))
        ignorant.open()
        await ignorant.opened
        expect(await queue.jobs()).toEqual([claimed])
        expect(claimed).toMatchObject({ attempt: 1, token: 2 })
        second.open()
        expect(await finalized(queue, 1)).toMatchObject([{ outcome: "succeeded", attempt: 1, token: 2 }])
    })

    it("counts the grace from the request to stop", async () => {
        const queue = await makeQueue()
        let abortedAtMs = 0
        const job = define(queue.config, async (_payload, { signal }) => {
            await aborted(signal)
            abortedAtMs = performance.now()
        })
        const worker = queue.worker()
        await job.defer({ payload: {} })
        await eventually(() => queue.events.some(({ eventType }) => eventType === "worker-job-dequeue"))
        worker.stop()
        const stoppedAtMs = performance.now()
        await eventually(() => performance.now() - stoppedAtMs > 1_000)
        await worker.join({ graceMs: 1_000 })
        expect(abortedAtMs - stoppedAtMs).toBeLessThan(1_700)
    })

    it("may be told of the grace before it is asked to stop", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => new Promise(() => undefined))
        const worker = queue.worker()
        const joined = worker.join({ graceMs: 20 })
        await job.defer({ payload: {} })
        await eventually(() => queue.events.some(({ eventType }) => eventType === "worker-job-dequeue"))
        worker.stop()
        await joined
        expect(await queue.jobs()).toMatchObject([{ state: "ready", attempt: 0 }])
    })

    it("takes a grace that is longer than a timer can be", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        const warnings: string[] = []
        const onWarning = ({ name }: Error) => void warnings.push(name)
        process.on("warning", onWarning)
        let signal: AbortSignal | undefined
        const job = define(queue.config, (_payload, context) => {
            signal = context.signal
            return gate.opened
        })
        const worker = queue.worker()
        await job.defer({ payload: {} })
        await eventually(() => signal)
        worker.stop()
        const joined = worker.join({ graceMs: 2 ** 31 + 1_000 })
        // An overflowing timer would fire at once, and abort before another worker has done a whole job.
        const other = define(queue.config, () => undefined, { name: "other", channel: "other" })
        queue.worker({ channel: "other" })
        await other.defer({ payload: {} })
        await finalized(queue, 1)
        expect(signal?.aborted).toBe(false)
        gate.open()
        await joined
        process.off("warning", onWarning)
        expect(warnings).not.toContain("TimeoutOverflowWarning")
        expect((await finalized(queue, 2)).map(({ outcome }) => outcome)).toEqual(["succeeded", "succeeded"])
    })
})

describe.skipIf(!hasServer())("an orchestrator whose grace is over", () => {
    it("does not wait for what the database does not answer", async () => {
        const queue = await makeQueue()
        define(queue.config, () => undefined)
        const session = await openSession()
        await session.query("begin")
        await session.query(`lock table ${queue.schema}.job_definition in access exclusive mode`)
        const orchestrator = queue.orchestrator()
        await untilWaitingForLock(queue)
        orchestrator.stop()
        const stoppedAtMs = performance.now()
        await orchestrator.join({ graceMs: 50 })
        const tookMs = performance.now() - stoppedAtMs
        await session.query("rollback")
        expect(tookMs).toBeLessThan(3_000)
    })
})
