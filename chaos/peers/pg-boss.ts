import { randomUUID } from "node:crypto"
import type pg from "pg"
import { type Job, PgBoss } from "pg-boss"
import { CLEAN_INTERVAL_MS, HISTORY_MS, type JobKind, NUM_RETRIES, type Plan } from "../workload.ts"
import type { Daemon, Handler, OnEvent, Peer, PeerOptions, Producer } from "./peer.ts"
import { pgBossAudit } from "./pg-boss-audit.ts"

const QUEUE = "chaos"

/**
 * How long a job may be active: the only way to get it back from a worker that died. Its heartbeats would be the other,
 * but those take ten seconds at the least, so this is the shortest time that no job of the campaign takes.
 */
const EXPIRE_SECONDS = 10

/** All chores as often as it lets a user have them: else they are done once a minute, and deletions once a day. */
const SECONDS = CLEAN_INTERVAL_MS / 1_000

/**
 * What it has in common with the others. Not: jobs that require ones which are there already, rate limits, schedules by
 * the second. Nor jobs that hang: an expired one keeps its slot until its handler returns, so a few that never do would
 * end all work, and nothing else would be measured.
 */
const KINDS: ReadonlySet<JobKind> = new Set([
    "noop",
    "sleep",
    "block",
    "flaky",
    "hopeless",
    "abort",
    "delayed",
    "big",
    "hostile",
    "effect",
])

export function makePgBoss(): Peer {
    return new PgBossPeer()
}

class PgBossPeer implements Peer {
    readonly name = "pg-boss"
    readonly kinds = KINDS

    async prepare(options: PeerOptions): Promise<void> {
        const boss = makeBoss(options, {})
        boss.on("error", () => undefined)
        await boss.start()
        await boss.createQueue(QUEUE, {
            retryLimit: NUM_RETRIES,
            // Whole seconds; the others wait for less than one.
            retryDelay: 0,
            expireInSeconds: EXPIRE_SECONDS,
            deleteAfterSeconds: HISTORY_MS / 1_000,
            notify: true,
        })
        await boss.stop({ graceful: false })
    }

    prepareAgain(options: PeerOptions): Promise<void> {
        return this.prepare(options)
    }

    auditText(schema: string): string {
        return pgBossAudit(schema)
    }

    unfinishedText(schema: string): string {
        return `select count(*) from ${schema}.job where state < 'completed'`
    }

    async startProducer(options: PeerOptions): Promise<Producer> {
        const boss = await startBoss(options, {}, () => undefined)
        const insert = async (plans: Parameters<Producer["defer"]>[0], client?: pg.ClientBase) => {
            const jobs = plans.map(({ plan }) => toJob(plan))
            const db = client === undefined ? {} : { db: { executeSql: executeIn(client) } }
            const ids = await boss.insert(QUEUE, jobs, { returnId: true, ...db })
            // It leaves out what is there already without a word, which none of these can be.
            if (ids?.length !== jobs.length) throw new Error(`${ids?.length} of ${jobs.length} jobs inserted`)
            return jobs.map(({ id }) => id)
        }
        return {
            defer: (plans) => insert(plans),
            deferIn: (client, plans) => insert(plans, client),
            poolTotals: () => poolTotals(boss),
            close: () => boss.stop({ graceful: false }),
        }
    }

    async startWorker(
        options: PeerOptions,
        { concurrency, handler, onEvent }: { concurrency: number; handler: Handler; onEvent: OnEvent },
    ): Promise<Daemon> {
        const boss = await startBoss(options, { useListenNotify: true }, onEvent)
        await boss.work<Plan>(
            QUEUE,
            {
                // One job at a time for each of its pollers: the jobs of a batch would wait for the slowest.
                localConcurrency: concurrency,
                batchSize: 1,
                pollingIntervalSeconds: 0.5,
                notifyPollingIntervalSeconds: 0.5,
                // Without a pause while there is a backlog.
                burstWhenReadyExceeds: 1,
            },
            async (jobs) => {
                for (const job of jobs) await handler(job.data, runOf(boss, job))
            },
        )
        return daemonOf(boss)
    }

    async startOrchestrator(options: PeerOptions, onEvent: OnEvent): Promise<Daemon> {
        return daemonOf(await startBoss(options, { supervise: true }, onEvent))
    }
}

function makeBoss(
    options: PeerOptions,
    settings: { supervise?: boolean; useListenNotify?: boolean },
): PgBoss {
    return new PgBoss({
        connectionString: options.connectionString,
        application_name: options.process,
        schema: options.schema,
        max: options.maxConnections,
        schedule: false,
        supervise: false,
        superviseIntervalSeconds: SECONDS,
        monitorIntervalSeconds: SECONDS,
        maintenanceIntervalSeconds: SECONDS,
        queueCacheIntervalSeconds: SECONDS,
        // Faults break connections: it should notice as early as it can.
        notifyHeartbeatIntervalMs: 2_000,
        notifyHeartbeatTimeoutMs: 2_000,
        ...settings,
    })
}

/** Starts it as its documentation says: with a listener for errors, which it tells instead of throwing them. */
async function startBoss(
    options: PeerOptions,
    settings: { supervise?: boolean; useListenNotify?: boolean },
    onEvent: OnEvent,
): Promise<PgBoss> {
    const boss = makeBoss(options, settings)
    boss.on("error", (error) => onEvent({ type: "error", jobID: null, detail: error.message.slice(0, 200) }))
    boss.on("warning", ({ message }) =>
        onEvent({ type: "warning", jobID: null, detail: message.slice(0, 200) }),
    )
    await boss.start()
    return boss
}

/** Ids are the producer's own: what comes back is then certain, in whatever order. */
function toJob(plan: Plan) {
    const delay = plan.delayMs === undefined ? {} : { startAfter: plan.delayMs / 1_000 }
    return { id: randomUUID(), data: plan, ...delay }
}

function executeIn(client: pg.ClientBase) {
    return (text: string, values?: unknown[]) => client.query(text, values)
}

/** Its claims have no token of their own, but a count of retries, which it fences what they write with. */
function runOf(boss: PgBoss, job: Job<Plan>): Parameters<Handler>[1] {
    return {
        jobID: job.id,
        attempt: job.retryCount + 1,
        token: String(job.retryCount),
        signal: job.signal,
        complete: async (client) => {
            const claim = { id: job.id, retryCount: job.retryCount }
            const db = { executeSql: executeIn(client) }
            // Its type is empty; its documentation has the number.
            const done: { affected?: number } = await boss.complete(QUEUE, claim, undefined, { db })
            if (done.affected !== 1) throw new Error(`job ${job.id} is no longer ours to complete`)
        },
    }
}

function daemonOf(boss: PgBoss): Daemon {
    return {
        // It is told to stop and how long that may take with one call.
        stop: () => undefined,
        join: (graceMs) => boss.stop({ graceful: true, timeout: graceMs }),
        poolTotals: () => poolTotals(boss),
    }
}

function poolTotals(boss: PgBoss): { total: number; idle: number; waiting: number } {
    return boss.getDb().poolCounts?.() ?? { total: 0, idle: 0, waiting: 0 }
}
