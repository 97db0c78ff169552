import pg from "pg"
import { expect, it } from "vitest"
import { DependencyNotFoundError, type JobDefinition, type SqlClient } from "../../src/index.ts"
import { type AnyPayload, aborted, define } from "../support/define.ts"
import { makeQueueAt, type OwnQueue, startServer } from "../support/own-server.ts"
import { eventually, hasServer } from "../support/with-schema.ts"

const DURATION_MS = 6_000

type Job = JobDefinition<AnyPayload, void>

/** Does something over and over until the time is up. Returns what went wrong, but for jobs that were swept. */
async function keepOn(act: () => Promise<unknown>): Promise<unknown[]> {
    const errors: unknown[] = []
    const endMs = performance.now() + DURATION_MS
    while (performance.now() < endMs) {
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

/** All that users do to a queue, at the same time. */
function everything(queue: OwnQueue, job: Job, stale: Job): Promise<unknown[]>[] {
    const ids: number[] = []
    const payload = () => ({ luck: Math.random() })
    const deferOne = async (client?: SqlClient) => {
        const options = { payload: payload(), dependencies: someOf(ids) }
        ids.push(await job.defer(client === undefined ? options : { ...options, client }))
    }
    const deferMany = async () => {
        const jobs = Array.from({ length: 20 }, () => ({
            payload: payload(),
            dependencies: someOf(ids),
            ...(Math.random() < 0.3 ? { delayMs: 20 } : {}),
        }))
        ids.push(...(await job.deferMany(jobs)))
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
        await new Promise((resolve) => setTimeout(resolve, 100 * Math.random()))
        worker.stop()
        await worker.join({ graceMs: 10 })
    }
    return [
        keepOn(deferOne),
        keepOn(deferOne),
        keepOn(deferMany),
        keepOn(deferInTransaction),
        keepOn(restartWorker),
        keepOn(() => stale.defer({ payload: {}, delayMs: 5 })),
    ]
}

it.skipIf(!hasServer()).each(["read committed", "serializable"])(
    "everything at once, by default %s, deadlocks nothing and shows no user an error",
    async (isolation) => {
        const server = await startServer(["deadlock_timeout=50ms"])
        const options = `-c default_transaction_isolation=${isolation.replace(" ", "\\ ")}`
        const queue = await makeQueueAt(server.connectionString, { max: 16, options })
        const job = define(
            queue.config,
            async ({ luck }, { signal }) => {
                await new Promise(setImmediate)
                if (Number(luck) < 0.2) throw new Error("fails")
                // Some take until they time out, or until their worker stops.
                if (Number(luck) > 0.9) throw await aborted(signal)
            },
            { numAttempts: 1, timeoutIntervalMs: 300 },
        )
        const stale = define(queue.otherConfig({ options }), () => undefined, { name: "stale" })
        for (let n = 0; n < 2; n++) {
            queue.worker({ concurrency: 8, orphanGraceMs: 20 })
            queue.orchestrator({
                cleanIntervalMs: 10,
                heartbeatIntervalMs: 10,
                finalizedJobSweepThresholdMs: 500,
                staleJobDefinitionSweepThresholdMs: 10,
            })
        }
        const errors = (await Promise.all(everything(queue, job as Job, stale as Job))).flat()
        expect(errors).toEqual([])
        await eventually(async () => {
            const { rows } = await queue.pool.query(`select count(*)::int as n from ${queue.schema}.job`)
            return rows[0]?.n === 0
        })
        const codes = queue.events.map((event) =>
            event.eventType === "daemon-error" ? (event.error as { code?: string }).code : "",
        )
        expect(codes).not.toContain("40P01")
        expect(codes).not.toContain("40001")
        const numOf = (type: string) => queue.events.filter(({ eventType }) => eventType === type).length
        for (const type of [
            "worker-job-finalize-success",
            "worker-job-error",
            "worker-job-finalize-failure",
            "worker-job-finalize-failure-orphaned",
            "worker-job-return",
            "orchestrator-finalized-job-sweep",
            "orchestrator-stale-job-definition-sweep",
        ])
            expect.soft(numOf(type), type).toBeGreaterThan(0)
        // What sessions have counted is complete when they have ended.
        await queue.end()
        const pool = new pg.Pool({ connectionString: server.connectionString, max: 1 })
        const { rows } = await pool.query("select sum(deadlocks)::int as num from pg_stat_database")
        await pool.end()
        expect(rows).toEqual([{ num: 0 }])
    },
    60_000,
)
