import { Logger, makeWorkerUtils, type Runner, run, type WorkerUtils } from "graphile-worker"
import pg from "pg"
import { GRACE_MS } from "../profile.ts"
import { type JobKind, NUM_RETRIES, type Plan, POLL_MS } from "../workload.ts"
import { graphileWorkerAudit } from "./graphile-worker-audit.ts"
import type { Daemon, Handler, OnEvent, Peer, PeerOptions, Producer } from "./peer.ts"

const TASK = "chaos"

/**
 * What it has in common with the others. Not: dependencies, rate limits, schedules by the second, timeouts, completing in
 * a transaction of the job's own. Nor jobs that always fail: the waits between attempts grow with e to the power of
 * their number, which cannot be changed, so the sixth comes after four minutes.
 */
const KINDS: ReadonlySet<JobKind> = new Set([
    "noop",
    "sleep",
    "block",
    "flaky",
    "abort",
    "delayed",
    "big",
    "hostile",
])

/** What it would tell its log is heard as events. */
const silent = new Logger(() => () => undefined)

export function makeGraphileWorker(): Peer {
    return new GraphileWorkerPeer()
}

class GraphileWorkerPeer implements Peer {
    readonly name = "graphile-worker"
    readonly kinds = KINDS

    async prepare(options: PeerOptions): Promise<void> {
        const utils = await makeWorkerUtils({ preset: presetOf(options) })
        await utils.migrate()
        await utils.release()
    }

    prepareAgain(options: PeerOptions): Promise<void> {
        return this.prepare(options)
    }

    auditText(schema: string): string {
        return graphileWorkerAudit(schema)
    }

    /** Jobs that have failed for good stay where they are. */
    unfinishedText(schema: string): string {
        const table = `${pg.escapeIdentifier(schema)}._private_jobs`
        return `select count(*) from ${table} where attempts < max_attempts or locked_at is not null`
    }

    async startProducer(options: PeerOptions): Promise<Producer> {
        const utils = await makeWorkerUtils({ preset: presetOf(options) })
        return {
            defer: (plans) => addJobs(utils, plans),
            deferIn: async (client, plans) => {
                const ids: string[] = []
                for (const { plan } of plans) ids.push(await addJobIn(client, options.schema, plan))
                return ids
            },
            close: async () => {
                await utils.release()
            },
        }
    }

    /**
     * The lock of a job whose worker died lapses after four hours, which no option changes: what such workers had is not
     * run again within a campaign, and is counted as unfinished.
     */
    async startWorker(
        options: PeerOptions,
        { concurrency, handler, onEvent }: { concurrency: number; handler: Handler; onEvent: OnEvent },
    ): Promise<Daemon> {
        const runner = await run({
            preset: presetOf(options, concurrency),
            noHandleSignals: true,
            taskList: {
                [TASK]: async (payload, { job, abortSignal }) => {
                    await handler(payload as Plan, {
                        jobID: job.id,
                        attempt: job.attempts,
                        // Claims are told apart by nothing else.
                        token: String(job.attempts),
                        signal: abortSignal,
                        complete: undefined,
                    })
                },
            },
        })
        hear(runner, onEvent)
        return daemonOf(runner, onEvent)
    }
}

/** It makes its own pools. The address tells them the name, which it has no option for. */
function presetOf(options: PeerOptions, concurrency?: number): GraphileConfig.Preset {
    const url = new URL(options.connectionString)
    url.searchParams.set("application_name", options.process)
    return {
        worker: {
            connectionString: url.href,
            schema: options.schema,
            maxPoolSize: options.maxConnections,
            pollInterval: POLL_MS,
            gracefulShutdownAbortTimeout: GRACE_MS,
            // As often as it may be: locks of four hours' age are looked for.
            minResetLockedInterval: 1_000,
            maxResetLockedInterval: 2_000,
            logger: silent,
            ...(concurrency === undefined ? {} : { concurrentJobs: concurrency }),
        },
    }
}

function optionsOf(plan: Plan) {
    return {
        maxAttempts: NUM_RETRIES + 1,
        ...(plan.delayMs === undefined ? {} : { runAt: new Date(Date.now() + plan.delayMs) }),
    }
}

async function addJobs(utils: WorkerUtils, plans: Parameters<Producer["defer"]>[0]): Promise<string[]> {
    const [only] = plans
    if (plans.length === 1 && only !== undefined)
        return [(await utils.addJob(TASK, only.plan, optionsOf(only.plan))).id]
    const jobs = await utils.addJobs(
        plans.map(({ plan }) => ({ identifier: TASK, payload: plan, ...optionsOf(plan) })),
    )
    // They come back in no promised order.
    const ids = new Map(jobs.map((job) => [(job.payload as Plan).key, job.id]))
    return plans.map(({ plan }) => ids.get(plan.key) as string)
}

/** The function that its documentation names for other people's transactions. */
async function addJobIn(client: pg.ClientBase, schema: string, plan: Plan): Promise<string> {
    const { maxAttempts, runAt } = { runAt: null, ...optionsOf(plan) }
    const { rows } = await client.query<{ id: string }>(
        `select id from ${pg.escapeIdentifier(schema)}.add_job(
            $1, $2::json, run_at => $3::timestamptz, max_attempts => $4::integer)`,
        [TASK, JSON.stringify(plan), runAt, maxAttempts],
    )
    return rows[0]?.id as string
}

function hear(runner: Runner, onEvent: OnEvent): void {
    runner.events.on("job:success", ({ job }) =>
        onEvent({ type: "job:success", jobID: job.id, detail: null }),
    )
    for (const type of ["job:error", "job:failed"] as const)
        runner.events.on(type, ({ job, error }) => onEvent({ type, jobID: job.id, detail: textOf(error) }))
    for (const type of [
        "worker:getJob:error",
        "worker:fatalError",
        "pool:fatalError",
        "pool:listen:error",
        "pool:gracefulShutdown:error",
        "pool:forcefulShutdown:error",
        "resetLocked:failure",
    ] as const)
        runner.events.on(type, ({ error }) => onEvent({ type, jobID: null, detail: textOf(error) }))
}

function textOf(error: unknown): string {
    return String(error).slice(0, 200)
}

function daemonOf(runner: Runner, onEvent: OnEvent): Daemon {
    let isAsked = false
    let stopped: Promise<void> = Promise.resolve()
    // Whoever runs it waits for this promise, and ends when it does: then a supervisor starts another process.
    const end = (error?: unknown) => {
        if (isAsked) return
        onEvent({ type: "runner-ended", jobID: null, detail: error === undefined ? null : textOf(error) })
        process.stderr.write(`the runner has ended: ${error}\n`)
        process.exit(1)
    }
    runner.promise.then(() => end(), end)
    return {
        stop: () => {
            isAsked = true
            stopped = runner.stop()
        },
        // Its grace is an option.
        join: () => stopped,
    }
}
