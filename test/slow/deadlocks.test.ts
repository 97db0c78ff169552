import pg from "pg"
import { expect, it, onTestFinished } from "vitest"
import { DependencyNotFoundError, type JobDefinition, type SqlClient } from "../../src/index.ts"
import { type AnyPayload, aborted, define } from "../support/define.ts"
import { isLegOfRelease, makeQueueAt, type OwnQueue, startServer } from "../support/own-server.ts"
import { eventually } from "../support/with-schema.ts"

/** At least so long, and longer until all that is to happen has happened. */
const MIN_MS = 5_000
const MAX_MS = 60_000

/** No more is deferred while so many jobs are live, so that workers keep up. */
const MAX_LIVE = 300

/** What is to happen at the same time, besides what users ask for. */
const HAPPENS = [
    "worker-job-finalize-success",
    "worker-job-error",
    "worker-job-finalize-failure",
    "worker-job-finalize-failure-orphaned",
    "worker-job-return",
    "orchestrator-finalized-job-sweep",
    "orchestrator-stale-job-definition-sweep",
]

type Job = JobDefinition<AnyPayload, void>

/** Does something over and over. Returns what went wrong, except that jobs to depend on had been swept. */
async function keepOn(isOver: () => boolean, act: () => Promise<unknown>): Promise<unknown[]> {
    const errors: unknown[] = []
    while (!isOver()) {
        await act().catch((error: unknown) => {
            if (!(error instanceof DependencyNotFoundError)) errors.push(error)
        })
    }
    return errors
}

/** Some of the latest jobs, newest and oldest in any order. */
function someOf(ids: readonly number[]): number[] {
    return ids
        .slice(-40)
        .filter(() => Math.random() < 0.15)
        .sort(() => Math.random() - 0.5)
}

function payload(): AnyPayload {
    return { luck: Math.random() }
}

/** What users do to a queue. */
function actsOf(
    queue: OwnQueue,
    jobs: { job: Job; hasty: Job; stale: Job },
    numLive: () => Promise<number>,
): (() => Promise<unknown>)[] {
    const { job, hasty, stale } = jobs
    const ids: number[] = []
    const deferOne = async (client?: SqlClient) => {
        const options = { payload: payload(), dependencies: someOf(ids) }
        ids.push(await job.defer(client === undefined ? options : { ...options, client }))
    }
    const deferMany = async () => {
        const many = Array.from({ length: 20 }, () => ({
            payload: payload(),
            dependencies: someOf(ids),
            ...(Math.random() < 0.3 ? { delayMs: 20 } : {}),
        }))
        ids.push(...(await job.deferMany(many)))
    }
    const deferInTransaction = async () => {
        const client = await queue.pool.connect()
        try {
            await client.query("begin isolation level read committed")
            await deferOne(client)
            await client.query(Math.random() < 0.3 ? "rollback" : "commit")
            client.release()
        } catch (error) {
            client.release(true)
            throw error
        }
    }
    const restartWorker = async () => {
        const worker = queue.worker({ concurrency: 4 })
        await new Promise((resolve) => setTimeout(resolve, 200 * Math.random()))
        worker.stop()
        await worker.join({ graceMs: 10 })
    }
    return [
        ...[deferOne, deferOne, deferMany, deferInTransaction].map((act) => async () => {
            if ((await numLive()) < MAX_LIVE) return act()
            await new Promise((resolve) => setTimeout(resolve, 10))
        }),
        restartWorker,
        () => stale.defer({ payload: {}, delayMs: 5 }),
        () => hasty.defer({ payload: payload() }),
    ]
}

function defineJobs(queue: OwnQueue, options: string): { job: Job; hasty: Job; stale: Job } {
    const job = define<void>(
        queue.config,
        async ({ luck }) => {
            await new Promise(setImmediate)
            if (Number(luck) < 0.2) throw new Error("fails")
        },
        { numAttempts: 1 },
    )
    const hasty = define<void>(
        queue.config,
        async ({ luck }, { signal }) => {
            // Some take until they time out, or until their worker stops.
            if (Number(luck) < 0.3) throw await aborted(signal)
        },
        { name: "hasty", timeoutIntervalMs: 300 },
    )
    const stale = define<void>(queue.otherConfig({ options }), () => undefined, { name: "stale" })
    return { job, hasty, stale }
}

// A settling statement may meet a deferral crosswise where the planner does not look its jobs up in order. It waits for
// less than the second after which a server looks for deadlocks, and goes on in halves: nothing is ever ended for one.
it.skipIf(!isLegOfRelease()).each([
    { isolation: "read committed", timeout: "1s", expected: "and deadlocks nothing" },
    { isolation: "serializable", timeout: "1s", expected: "and deadlocks nothing" },
    { isolation: "read committed", timeout: "20ms", expected: "though the server finds deadlocks early" },
])(
    "everything at once, by default $isolation, shows no user an error, $expected",
    async ({ isolation, timeout }) => {
        const server = await startServer([`deadlock_timeout=${timeout}`])
        const options = `-c default_transaction_isolation=${isolation.replace(" ", "\\ ")}`
        const queue = await makeQueueAt(server.connectionString, { max: 16, options })
        const pool = new pg.Pool({ connectionString: server.connectionString, max: 4 })
        onTestFinished(() => pool.end())
        const numLive = async () => {
            const { rows } = await pool.query(`select count(*)::int as num from ${queue.schema}.job`)
            return Number(rows[0]?.num)
        }
        const jobs = defineJobs(queue, options)
        for (let n = 0; n < 2; n++) {
            queue.worker({ concurrency: 8, orphanGraceMs: 20 })
            queue.orchestrator({
                cleanIntervalMs: 10,
                heartbeatIntervalMs: 10,
                finalizedJobSweepThresholdMs: 500,
                staleJobDefinitionSweepThresholdMs: 10,
            })
        }
        const numOf = (type: string) => queue.events.filter(({ eventType }) => eventType === type).length
        const startMs = performance.now()
        const isOver = () => {
            const passedMs = performance.now() - startMs
            return passedMs > MAX_MS || (passedMs > MIN_MS && HAPPENS.every((type) => numOf(type) > 0))
        }
        const errors = await Promise.all(actsOf(queue, jobs, numLive).map((act) => keepOn(isOver, act)))
        expect(errors.flat()).toEqual([])
        expect(HAPPENS.filter((type) => numOf(type) === 0)).toEqual([])
        await eventually(async () => (await numLive()) === 0)
        const codes = queue.events.map((event) =>
            event.eventType === "daemon-error" ? (event.error as { code?: string }).code : "",
        )
        expect(codes).not.toContain("40P01")
        expect(codes).not.toContain("40001")
        if (timeout !== "1s") return
        // What sessions have counted is complete when they have ended.
        await queue.end()
        expect(server.log.split("\n").filter((line) => line.includes("deadlock detected"))).toEqual([])
        const { rows } = await pool.query("select sum(deadlocks)::int as num from pg_stat_database")
        expect(rows).toEqual([{ num: 0 }])
    },
    150_000,
)
