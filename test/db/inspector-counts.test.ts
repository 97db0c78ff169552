import { describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { Inspector } from "../../src/index.ts"
import { toCounts } from "../../src/inspect/counts.ts"
import { countJobs } from "../../src/statements/count-jobs.ts"
import { aborted, define } from "../support/define.ts"
import { finalizedJobs } from "../support/finalized.ts"
import { times } from "../support/gated.ts"
import { eventually, makeQueue } from "../support/with-schema.ts"

const exactly = (num: number) => ({ num, isExact: true })

const NONE = {
    ready: exactly(0),
    delayed: exactly(0),
    blocked: exactly(0),
    running: exactly(0),
    failing: exactly(0),
    failed: exactly(0),
}

describe("Inspector#counts", () => {
    it("counts jobs by definition, channel and state, and knows the one that has waited longest", async () => {
        const queue = await makeQueue()
        const { config, sql, schema } = queue
        const inspector = new Inspector({ config })
        expect(await inspector.counts()).toEqual({
            ...{ at: expect.any(Date), definitions: [], channels: [], total: NONE },
            finalized: { num: 0, isExact: false },
        })
        const job = define(
            config,
            (_, { signal, jobID }) => {
                if (jobID === 1) return aborted(signal)
                throw new Error("no")
            },
            { group: { key: () => "k" } },
        )
        const mail = define(config, () => undefined, { name: "mail", channel: "mail" })
        queue.worker({ concurrency: 2 })
        const [, failed = 0] = await job.deferMany(times(2))
        await finalizedJobs(queue, [failed])
        await eventually(async () => (await inspector.counts()).total.running.num === 1)
        const delayed = await job.defer({ payload: {}, delayMs: 3_600_000 })
        await job.deferMany(times(2).map((one) => ({ ...one, dependencies: [delayed] })))
        const [oldest = 0] = await mail.deferMany(times(3))
        await mail.defer({ payload: {}, priority: -5 })
        await sql.query(`update ${schema}.job set due_at = due_at - interval '1 min' where id = $1`, [oldest])
        await config.pause({ channel: "mail" })
        await config.pause({ definition: "job", key: "k" })
        const counts = await inspector.counts()
        expect(counts.definitions).toEqual([
            {
                ...NONE,
                ...{
                    definition: "job",
                    channel: "_default",
                    isPaused: false,
                    numPausedKeys: 1,
                    oldestReady: null,
                },
                ...{ delayed: exactly(1), blocked: exactly(2), running: exactly(1), failed: exactly(1) },
            },
            {
                ...NONE,
                ...{
                    definition: "mail",
                    channel: "mail",
                    isPaused: true,
                    numPausedKeys: 0,
                    ready: exactly(4),
                },
                oldestReady: { jobID: oldest, dueAt: expect.any(Date), ageMs: expect.any(Number) },
            },
        ])
        expect(counts.definitions[1]?.oldestReady?.ageMs).toBeGreaterThanOrEqual(60_000)
        expect(counts.channels.map(({ channel, ready }) => [channel, ready.num])).toEqual([
            ["_default", 0],
            ["mail", 4],
        ])
        expect(counts.total).toMatchObject({ ready: exactly(4), blocked: exactly(2), failed: exactly(1) })
        await config.jobs.cancel(1)
    })

    it("says of numbers beyond what it looks at that they are not exact", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        const few = define(queue.config, () => undefined, { name: "few" })
        const [first = 0] = await job.deferMany([
            ...times(50),
            ...times(30).map((one) => ({ ...one, delayMs: 3_600_000 })),
        ])
        await job.deferMany(times(20).map((one) => ({ ...one, dependencies: [first] })))
        await few.deferMany(times(3))
        for (const table of ["job", "job_dependency"])
            await queue.sql.query(`analyze ${queue.schema}.${table}`)
        const { run, schema } = coreOf(queue.config)
        const counted = async (numReady: number, numOthers: number) => {
            const bounds = { numReady, numOthers, numEdges: numOthers }
            return toCounts(await countJobs({ run, schema, bounds }), bounds).definitions
        }
        expect(await counted(1_000, 1_000)).toMatchObject([
            { definition: "few", ready: exactly(3), delayed: exactly(0) },
            { definition: "job", ready: exactly(50), delayed: exactly(30), blocked: exactly(20) },
        ])
        // The server's statistics know of those that were not looked at.
        expect(await counted(60, 10)).toMatchObject([
            { definition: "few", ready: exactly(3), delayed: { num: 0, isExact: false } },
            {
                ...{ definition: "job", ready: { num: 50, isExact: false } },
                ...{ delayed: { num: 30, isExact: false }, blocked: { num: 20, isExact: false } },
            },
        ])
    })
})
