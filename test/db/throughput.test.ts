import { describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { FAILURE_REASONS } from "../../src/events.ts"
import { Inspector, InvalidOptionError } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalizedJobs } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { eventually, makeQueue, type Queue } from "../support/with-schema.ts"

/** The hour around now, as one point or two. */
function aroundNow(minutes = 5) {
    const now = Date.now()
    return {
        from: new Date(now - minutes * 60_000),
        until: new Date(now + minutes * 60_000),
        stepMs: 60 * 60_000,
    }
}

/** Sums over all points. */
async function sums(inspector: Inspector, which: { definition?: string; channel?: string } = {}) {
    const points = await inspector.throughput({ ...which, ...aroundNow() })
    const sum = (numOf: (point: (typeof points)[number]) => number) =>
        points.reduce((total, point) => total + numOf(point), 0)
    return {
        succeeded: sum((point) => point.numSucceeded),
        retried: sum((point) => point.numRetried),
        failed: sum((point) => point.numFailed),
        failures: Object.fromEntries(
            FAILURE_REASONS.map((reason) => [reason, sum((point) => point.failures[reason])]).filter(
                ([, num]) => num !== 0,
            ),
        ),
        waits: sum((point) => point.wait.num),
        runs: sum((point) => point.run.num),
    }
}

/** Stops a daemon, which writes down what it counted. */
async function ended(daemon: { stop(): void; join(): Promise<void> }): Promise<void> {
    daemon.stop()
    await daemon.join()
}

function errors(queue: Queue): unknown[] {
    return queue.events.filter(({ eventType }) => eventType === "daemon-error")
}

describe("the throughput", () => {
    it("counts how jobs end, whoever ends them, and how long they waited and ran", async () => {
        const queue = await makeQueue()
        const inspector = new Inspector({ config: queue.config })
        const gate = makeGate()
        const job = define(
            queue.config,
            async ({ fails, waits }, { attempt }) => {
                if (waits === true) await gate.opened
                if (fails === attempt || fails === true) throw new Error("no")
            },
            { numAttempts: 1 },
        )
        const other = define(queue.config, () => undefined, { name: "other", channel: "other" })
        const own = define(
            queue.config,
            async (_payload, context) => {
                const client = { query: () => Promise.reject(new Error("not reached")) }
                await context.complete({ client }).catch(() => context.snooze(60_000))
            },
            { name: "own" },
        )
        const failing = await job.defer({ payload: { fails: true } })
        const ids = [
            ...(await job.deferMany([{ payload: {} }, { payload: {} }, { payload: { fails: 1 } }])),
            failing,
            await job.defer({ payload: {}, dependencies: [failing] }),
            await other.defer({ payload: {} }),
        ]
        const cancelled = await job.defer({ payload: {}, delayMs: 60_000 })
        expect(await queue.config.jobs.cancel(cancelled)).toBe("cancelled")
        const late = await job.defer({ payload: {}, delayMs: 60_000 })
        await queue.sql.query(
            `update ${queue.schema}.job set expires_at = clock_timestamp() - interval '1 min' where id = $1`,
            [late],
        )
        await own.defer({ payload: {} })
        const waiting = await job.defer({ payload: { waits: true } })
        const workers = [queue.worker({ concurrency: 5 }), queue.worker({ channel: "other" })]
        const orchestrator = queue.orchestrator()
        await finalizedJobs(queue, [...ids, cancelled, late])
        gate.open()
        await finalizedJobs(queue, [waiting])
        await eventually(() => queue.events.some(({ eventType }) => eventType === "worker-job-snooze"))
        for (const daemon of [...workers, orchestrator]) await ended(daemon)

        const failures = { error: 1, timeout: 1, "unmet-dependencies": 1, cancelled: 1 }
        const ofJob = { succeeded: 4, retried: 2, failed: 4, failures, waits: 7, runs: 7 }
        expect(await sums(inspector, { definition: "job" })).toEqual(ofJob)
        // One that is put off has waited, and no attempt of it has ended.
        const ofOwn = { succeeded: 0, retried: 0, failed: 0, failures: {}, waits: 1, runs: 0 }
        expect(await sums(inspector, { definition: "own" })).toEqual(ofOwn)
        const ofOther = { succeeded: 1, retried: 0, failed: 0, failures: {}, waits: 1, runs: 1 }
        expect(await sums(inspector, { channel: "other" })).toEqual(ofOther)
        expect(await sums(inspector, { definition: "other", channel: "_default" })).toMatchObject({
            waits: 0,
        })
        expect(await sums(inspector)).toMatchObject({ succeeded: 5, failed: 4, waits: 9, runs: 8 })
        expect(errors(queue)).toEqual([])

        const { from, until } = aroundNow()
        const points = await inspector.throughput({ definition: "job", from, until, stepMs: 60_000 })
        expect(points).toHaveLength(11)
        const [point] = points.filter(({ numSucceeded }) => numSucceeded > 0)
        const { wait, run } = point ?? { wait: undefined, run: undefined }
        for (const summary of [wait, run]) {
            const { p50Ms, p95Ms, p99Ms, meanMs } = summary ?? {
                p50Ms: null,
                p95Ms: null,
                p99Ms: null,
                meanMs: null,
            }
            expect(meanMs).toBeGreaterThan(0)
            expect(p50Ms).toBeGreaterThan(0)
            expect(p95Ms).toBeGreaterThanOrEqual(p50Ms ?? 0)
            expect(p99Ms).toBeGreaterThanOrEqual(p95Ms ?? 0)
        }
        expect(point?.perSecond).toBeGreaterThan(0)

        const text = await inspector.prometheus()
        const labels = 'definition="job",channel="_default"'
        expect(text).toContain(`cuckmq_jobs_succeeded_total{${labels}} 4\n`)
        expect(text).toContain(`cuckmq_jobs_retried_total{${labels}} 2\n`)
        expect(text).toContain(`cuckmq_jobs_failed_total{${labels},reason="unmet-dependencies"} 1\n`)
        expect(text).toContain(`cuckmq_jobs_failed_total{${labels},reason="orphaned"} 0\n`)
        expect(text).toContain(`cuckmq_job_wait_seconds_count{${labels}} 7\n`)
        expect(text).toContain('cuckmq_jobs_succeeded_total{definition="other",channel="other"} 1\n')
    })

    it("is told where counts cannot be written, and has them when they can", async () => {
        const queue = await makeQueue()
        const inspector = new Inspector({ config: queue.config })
        const { counter } = coreOf(queue.config)
        const job = define(queue.config, () => undefined)
        const worker = queue.worker()
        const rename = (from: string, to: string) =>
            queue.sql.query(`alter table ${queue.schema}.${from} rename to ${to}`)
        await rename("throughput", "elsewhere")
        await finalizedJobs(queue, [await job.defer({ payload: {} })])
        await counter.write()
        await finalizedJobs(queue, [await job.defer({ payload: {} })])
        await counter.write()
        await expect(inspector.throughput(aroundNow())).rejects.toMatchObject({
            code: "CUCKMQ_SCHEMA_NOT_PREPARED",
        })
        await expect(inspector.prometheus()).rejects.toMatchObject({ code: "CUCKMQ_SCHEMA_NOT_PREPARED" })
        const backwards = { ...aroundNow(), until: new Date(0) }
        await expect(inspector.throughput(backwards)).rejects.toMatchObject({ option: "until" })
        expect(() => new Inspector({ config: {} as never })).toThrow(InvalidOptionError)
        await rename("elsewhere", "throughput")
        await finalizedJobs(queue, [await job.defer({ payload: {} })])
        await ended(worker)
        expect(await sums(inspector)).toMatchObject({ succeeded: 3, waits: 3, runs: 3 })
        expect(errors(queue)).toMatchObject([{ activity: "write throughput" }])
    })
})
