import { expect, it } from "vitest"
import { quoteSchema } from "../../src/db/identifier.ts"
import { lockRequiredJobs } from "../../src/statements/settle-dependents.ts"
import { define } from "../support/define.ts"
import { makeQueue } from "../support/with-schema.ts"

it("the end of a job that others depend on reads them, and not all that are live", async () => {
    const queue = await makeQueue()
    const job = define(queue.config, () => undefined)
    const [required, ...others] = await job.deferMany(Array.from({ length: 5_000 }, () => ({ payload: {} })))
    if (required === undefined) throw new Error("nothing was deferred")
    await job.defer({ payload: {}, dependencies: [required] })
    await queue.sql.query(`analyze ${queue.schema}.job`)
    const plans: string[] = []
    await lockRequiredJobs({
        schema: quoteSchema(queue.schemaName),
        ids: [required],
        run: async (text, values) => {
            const { rows } = await queue.sql.query(`explain (analyze, costs off) ${text}`, values)
            plans.push(rows.map((row) => row["QUERY PLAN"]).join("\n"))
            return []
        },
    })
    expect(others.length).toBeGreaterThan(4_000)
    const plan = plans.find((text) => text.includes("LockRows"))
    expect(plan).toBeDefined()
    expect(plan).not.toMatch(/Rows Removed by Filter: \d{3}/)
    expect(plan).not.toMatch(/Seq Scan on job /)
})
