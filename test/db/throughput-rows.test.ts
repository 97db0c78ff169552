import { describe, expect, it } from "vitest"
import { sweepThroughput } from "../../src/chores/sweep-throughput.ts"
import { type Config, coreOf } from "../../src/config.ts"
import { Inspector } from "../../src/index.ts"
import type { JobCounts } from "../../src/statements/throughput-rows.ts"
import { writeThroughput } from "../../src/statements/write-throughput.ts"
import { define } from "../support/define.ts"
import { openDirectSession, untilWaitingForLock } from "../support/transaction.ts"
import { hasServer, makeQueue, type Queue } from "../support/with-schema.ts"

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Makes a definition whose counts are written down. */
async function makeCounted(name: string, config: Config): Promise<void> {
    const job = define(config, () => undefined, { name })
    await job.defer({ payload: {} })
}

function countsOf(numSucceeded: number, buckets: readonly number[] = [0, numSucceeded]): JobCounts {
    const histogram = { counts: buckets, sumMs: numSucceeded * 1.3 }
    return { numSucceeded, numRetried: 1, numFailed: [0, 2, 0, 0, 0, 0], wait: histogram, run: histogram }
}

async function write(queue: Queue, counts: Record<string, JobCounts>, ageMs = 0): Promise<void> {
    const { run, schema } = coreOf(queue.config)
    await writeThroughput({ run, schema, counts: new Map(Object.entries(counts)), ageMs })
}

/** The rows of one definition, but for what is measured in milliseconds. */
async function rows(queue: Queue, name = "job"): Promise<Record<string, unknown>[]> {
    const { rows } = await queue.sql.query(
        `select span, num_succeeded::integer as succeeded, num_retried::integer as retried, num_failed::text as failed,
            wait_counts::text as waits, run_counts::text as runs
        from ${queue.schema}.throughput as counted
        join ${queue.schema}.job_definition as definition on definition.id = counted.definition_id
        where definition.name = $1
        order by span, began_at`,
        [name],
    )
    return rows
}

describe("the rows of throughput", () => {
    it.skipIf(!hasServer())("hold what sessions add that write the same ones at the same time", async () => {
        const queue = await makeQueue()
        for (const name of ["b", "a"]) await makeCounted(name, queue.config)
        await write(queue, { a: countsOf(1), b: countsOf(1), gone: countsOf(1) })
        const holder = await openDirectSession()
        await holder.query("begin")
        await holder.query(`update ${queue.schema}.throughput set num_succeeded = num_succeeded + 1`)
        // Either writes both, in whatever order it counted them, and adds a bucket that there was none of.
        const written = [
            write(queue, { a: countsOf(10, [0, 10]), b: countsOf(10, [0, 0, 10]) }),
            write(queue, { b: countsOf(100, [0, 0, 0, 100]), a: countsOf(100, [100]) }),
        ]
        await untilWaitingForLock(queue, 2)
        await holder.query("commit")
        await Promise.all(written)
        const lists = { failed: "{0,6}", waits: "{100,11}", runs: "{100,11}" }
        const total = (name: string) =>
            rows(queue, name).then((found) => found.filter(({ span }) => span === "total"))
        expect(await total("a")).toEqual([{ span: "total", succeeded: 112, retried: 3, ...lists }])
        expect(await total("b")).toMatchObject([{ succeeded: 112, waits: "{0,1,10,100}" }])
        const { rows: sums } = await queue.sql.query(
            `select span, sum(num_succeeded)::integer as succeeded, count(distinct definition_id)::integer as num
            from ${queue.schema}.throughput where span = 'total' group by span`,
        )
        expect(sums).toEqual([{ span: "total", succeeded: 224, num: 2 }])
    })

    it("become rows of hours after a day, and go after a month, while totals stay", async () => {
        const queue = await makeQueue()
        const core = coreOf(queue.config)
        for (const name of ["job", "other"]) await makeCounted(name, queue.config)
        const inspector = new Inspector({ config: queue.config })
        const beganMs = Math.floor((Date.now() - 2 * DAY_MS) / HOUR_MS) * HOUR_MS
        const ageMs = Date.now() - beganMs
        const sweep = sweepThroughput(1_000)
        const run = () => sweep.run({ core, emit: () => undefined })
        await write(queue, { job: countsOf(1), other: countsOf(7) }, ageMs - 10 * MINUTE_MS)
        await write(queue, { job: countsOf(2, [0, 0, 2]) }, ageMs - 20 * MINUTE_MS)
        await write(queue, { job: countsOf(4, []) }, ageMs - 70 * MINUTE_MS)
        await write(queue, { job: countsOf(8) }, MINUTE_MS)
        await write(queue, { job: countsOf(16) }, 31 * DAY_MS)
        const points = () =>
            inspector.throughput({
                definition: "job",
                from: new Date(beganMs),
                until: new Date(beganMs + 3 * HOUR_MS),
                stepMs: HOUR_MS,
            })
        const before = await points()
        expect(before.map(({ numSucceeded }) => numSucceeded)).toEqual([3, 4, 0])
        expect(before[0]).toMatchObject({
            at: new Date(beganMs),
            numRetried: 2,
            numFailed: 4,
            perSecond: 7 / 3_600,
        })
        const text = await inspector.prometheus()
        expect(text).toContain('cuckmq_jobs_succeeded_total{definition="job",channel="_default"} 31\n')

        await run()
        expect(await rows(queue)).toEqual([
            { span: "hour", succeeded: 3, retried: 2, failed: "{0,4}", waits: "{0,1,2}", runs: "{0,1,2}" },
            { span: "hour", succeeded: 4, retried: 1, failed: "{0,2}", waits: "{}", runs: "{}" },
            { span: "minute", succeeded: 8, retried: 1, failed: "{0,2}", waits: "{0,8}", runs: "{0,8}" },
            {
                span: "total",
                succeeded: 31,
                retried: 5,
                failed: "{0,10}",
                waits: "{0,25,2}",
                runs: "{0,25,2}",
            },
        ])
        expect(await rows(queue, "other")).toMatchObject([{ span: "hour" }, { span: "total" }])
        // A minute that comes late is added to the hour that is there.
        expect(await points()).toEqual(before)
        await write(queue, { job: countsOf(32, [32]) }, ageMs - 15 * MINUTE_MS)
        await Promise.all([run(), run()])
        expect((await rows(queue))[0]).toMatchObject({ span: "hour", succeeded: 35, waits: "{32,1,2}" })
        expect((await points()).map(({ numSucceeded }) => numSucceeded)).toEqual([35, 4, 0])
        const counters = (page: string) => page.match(/^cuckmq_jobs_succeeded_total.* \d+$/gm)
        expect(counters(await inspector.prometheus())).toEqual([
            'cuckmq_jobs_succeeded_total{definition="job",channel="_default"} 63',
            'cuckmq_jobs_succeeded_total{definition="other",channel="_default"} 7',
        ])
    })
})
