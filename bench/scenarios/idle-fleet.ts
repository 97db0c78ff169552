import { Redis } from "ioredis"
import { type Metrics, median, rssMb } from "../measure.ts"
import { EVERY_PEER, entryOf } from "../peers/index.ts"
import { type Bench, type Scenario, sleep } from "./scenario.ts"

const NUM_WORKERS = 20

/** What workers cost that have nothing to do. */
export const idleFleet: Scenario = {
    title: "An idle fleet of 20 workers",
    about:
        "20 worker processes with default settings and an empty queue, watched for 10 seconds. Queries a second and " +
        "memory are those of one process. Queries are counted by pg_stat_statements, commands by Redis. About 17 MB " +
        "of each process is Node's type stripping, which the benchmark uses.",
    usualSeconds: 83,
    goal: "rate",
    peers: EVERY_PEER.filter((id) => id === "cuckmq" || (id !== "bare" && !id.endsWith("-fast"))),
    rounds: 1,
    async sample(bench) {
        const { admin, startWorker, isSmall } = bench
        await admin.query("alter system set pg_stat_statements.track = 'top'")
        await admin.query("select pg_reload_conf()")
        const numWorkers = isSmall ? 3 : NUM_WORKERS
        const workers = []
        // A few at a time: starting is not what is measured.
        for (let n = 0; n < numWorkers; n += 4) {
            const some = Array.from({ length: Math.min(4, numWorkers - n) }, startWorker)
            workers.push(...(await Promise.all(some)))
        }
        await Promise.all(workers.map((worker) => worker.begin()))
        await sleep(isSmall ? 500 : 3_000)
        const windowMs = isSmall ? 2_000 : 10_000
        const before = await numQueries(bench)
        await sleep(windowMs)
        const numSent = (await numQueries(bench)) - before
        const metrics: Metrics = {
            queriesPerSecond: numSent / (windowMs / 1_000) / numWorkers,
            rssMb: median(workers.map(({ pid }) => rssMb(pid))),
        }
        await admin.query("alter system set pg_stat_statements.track = 'none'")
        await admin.query("select pg_reload_conf()")
        await Promise.all(workers.map((worker) => worker.end()))
        return { [`${NUM_WORKERS} idle workers`]: metrics }
    },
}

/** What the system's server has been asked so far. */
async function numQueries({ admin, options, peerID }: Bench): Promise<number> {
    const { redisPort } = options.servers
    if (entryOf(peerID).family === "bullmq-redis" && redisPort !== undefined) {
        const redis = new Redis({ host: "127.0.0.1", port: redisPort })
        const stats = await redis.info("stats")
        redis.disconnect()
        return Number(/total_commands_processed:(\d+)/.exec(stats)?.[1])
    }
    const { rows } = await admin.query(
        "select coalesce(sum(calls), 0) as n from pg_stat_statements where query not like '%pg_stat_statements%'",
    )
    return Number(rows[0].n)
}
