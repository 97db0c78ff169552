import { Config, JobDefinition, Worker } from "cuckmq"
import pg from "pg"
import type { Metrics, Rows } from "../measure.ts"
import { median } from "../measure.ts"
import { payloadOf } from "../peers/peer.ts"
import { type Bench, type Scenario, until } from "./scenario.ts"

const NUM_DRAINS = 5
const FAR_MS = 24 * 60 * 60_000

/** What stands ahead of the jobs that can run. */
const KINDS = ["nothing", "delayed", "rate-limited", "dependency-blocked", "unknown"]

/** Whether jobs that cannot run are in the way of those that can. */
export const standingAhead: Scenario = {
    title: "1,000,000 jobs standing ahead",
    about:
        "The drain of 10,000 jobs while 1,000,000 older ones stand ahead that are delayed, rate-limited, blocked by " +
        "a dependency, or of a definition that the worker does not know, beside the drain with none of them. The " +
        `median of ${NUM_DRAINS} drains.`,
    usualSeconds: 60,
    goal: "rate",
    peers: ["cuckmq"],
    cases: KINDS,
    rounds: 1,
    timeoutMs: 180_000,
    async sample(bench) {
        const { options, admin, isSmall, caseName } = bench
        const pool = new pg.Pool({ connectionString: options.servers.connectionString })
        const config = new Config({ pool, schema: options.schema })
        await standAhead({ config, kind: caseName, count: isSmall ? 5_000 : 1_000_000 })
        await admin.query(`vacuum analyze ${options.schema}.job`)
        await admin.query("checkpoint")
        const rows = await drainRepeatedly(bench, config)
        await pool.end()
        return rows
    },
}

async function standAhead(params: { config: Config; kind: string; count: number }): Promise<void> {
    const { config, kind, count } = params
    if (kind === "nothing") return
    const isLimited = kind === "rate-limited"
    const ahead = new JobDefinition({
        config,
        name: "ahead",
        jobFunction: () => undefined,
        ...(isLimited ? { releaseIntervalMs: FAR_MS } : {}),
    })
    if (kind !== "unknown") ahead.register()
    const payload = payloadOf(100)
    // The one that the others wait for is delayed itself, so it never runs here.
    const required = kind === "dependency-blocked" ? await ahead.defer({ payload, delayMs: FAR_MS }) : 0
    const job = {
        payload,
        ...(kind === "delayed" ? { delayMs: FAR_MS } : {}),
        ...(kind === "dependency-blocked" ? { dependencies: [required] } : {}),
    }
    const jobs = Array.from({ length: 5_000 }, () => job)
    for (let done = 0; done < count; done += jobs.length) await ahead.deferMany(jobs)
}

async function drainRepeatedly(bench: Bench, config: Config): Promise<Rows> {
    const { meter, caseName } = bench
    let numJobs = 0
    const runnable = new JobDefinition({
        config,
        name: "runnable",
        jobFunction: () => {
            numJobs++
        },
    })
    runnable.register()
    const jobs = Array.from({ length: 10_000 }, (_, n) => ({ payload: payloadOf(100, { n }) }))
    const samples: Metrics[] = []
    for (let n = 0; n < NUM_DRAINS; n++) {
        await runnable.deferMany(jobs)
        numJobs = 0
        await meter.start()
        const worker = new Worker({ config })
        await until(() => numJobs >= jobs.length, 15_000)
        worker.stop()
        await worker.join()
        samples.push(await meter.stop(numJobs || 1))
    }
    const of = (pick: (sample: Metrics) => number | undefined) =>
        median(samples.map((sample) => pick(sample) ?? Number.NaN))
    return {
        [`behind ${caseName}`]: {
            jobsPerSecond: of((sample) => sample.jobsPerSecond),
            processMicros: of((sample) => sample.processMicros),
            serverMicros: of((sample) => sample.serverMicros),
            walBytes: of((sample) => sample.walBytes),
        },
    }
}
