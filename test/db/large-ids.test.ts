import { describe, expect, it } from "vitest"
import { JobDefinition } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalizedJobs } from "../support/finalized.ts"
import { makeQueue } from "../support/with-schema.ts"

describe.each([
    { where: "at the end of 32 bits", start: 2 ** 31 - 10 },
    { where: "near the end of what a number holds exactly", start: 2 ** 53 - 1_000 },
])("ids $where", ({ start }) => {
    it("are exact, from deferral to history", async () => {
        const queue = await makeQueue()
        const { sql, schema } = queue
        await sql.query(`alter sequence ${schema}.job_sequence restart with ${start}`)
        for (const table of ["job_definition", "lease"])
            await sql.query(`alter table ${schema}.${table} alter column id restart with ${start}`)
        const seen: number[] = []
        const job = define(
            queue.config,
            ({ fails }, { jobID, attempt }) => {
                if (fails === true && attempt === 1) throw new Error("first")
                seen.push(jobID)
                return jobID
            },
            { numAttempts: 1 },
        )
        const limited = new JobDefinition({
            config: queue.config,
            name: "limited",
            releaseIntervalMs: 1,
            jobFunction: (_payload: object, { jobID }) => jobID,
        })
        limited.register()
        const required = await job.deferMany([
            { payload: { fails: true } },
            ...Array.from({ length: 14 }, () => ({ payload: {} })),
        ])
        expect(required).toEqual(Array.from({ length: 15 }, (_, n) => start + n))
        const dependent = await job.defer({ payload: {}, dependencies: required, delayMs: 1 })
        const [release] = await limited.deferMany([{ payload: {} }], {})
        queue.worker({ concurrency: 5 })
        queue.orchestrator({ cleanIntervalMs: 20 })
        const ids = [...required, dependent, release ?? 0]
        const rows = await finalizedJobs(queue, ids)
        expect(rows.map(({ result }) => result)).toEqual(ids)
        expect(rows.filter(({ outcome }) => outcome !== "succeeded")).toEqual([])
        expect([...seen].sort((a, b) => a - b)).toEqual([...required, dependent])
        expect(await queue.jobs()).toEqual([])
        const texts = await sql.query(
            `select id::text as id from ${schema}.job_history order by job_history.id`,
        )
        expect(texts.rows.map(({ id }) => id)).toEqual(ids.sort((a, b) => a - b).map(String))
    })
})
