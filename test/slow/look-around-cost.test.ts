import { expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { quoteSchema } from "../../src/db/identifier.ts"
import { claimLimitedJobs } from "../../src/statements/claim-limited-jobs.ts"
import { openLease } from "../../src/statements/leases.ts"
import { lookAround } from "../../src/statements/look-around.ts"
import type { Query } from "../../src/statements/query.ts"
import { costIn, FEW_PAGES } from "../support/cost.ts"
import { define } from "../support/define.ts"
import { hasServer, makeQueue } from "../support/with-schema.ts"

// The planner knows then that a look into the index would not come back empty, and that there is no end of such jobs.
it.skipIf(!hasServer()).each([
    { kind: "plain", releaseIntervalMs: 0 },
    { kind: "rate-limited", releaseIntervalMs: 1 },
])(
    "looks of workers read few pages where masses of $kind jobs stand ready, and it is known",
    async ({ releaseIntervalMs }) => {
        const queue = await makeQueue()
        const { sql, schema } = queue
        await define(queue.config, () => undefined, { releaseIntervalMs }).defer({ payload: {} })
        await sql.query(
            `insert into ${schema}.job
                (id, position, definition_id, created_at, due_at, expires_at, num_attempts, state, payload)
            select n + job.id, n + job.id, definition_id, created_at, due_at, expires_at, 0, 'ready', payload
            from ${schema}.job cross join generate_series(1, 150000) as n`,
        )
        await sql.query(`vacuum analyze ${schema}.job`)
        const definitionID = Number((await queue.jobs())[0]?.definition_id)
        const isLimited = releaseIntervalMs > 0
        const quoted = quoteSchema(queue.schemaName)
        const leaseID = await openLease({
            ...{ run: coreOf(queue.config).run, schema: quoted, worker: "w", intervalMs: 60_000 },
        })
        const costs: [name: string, numPages: number][] = []
        const explaining = (name: string): Query => ({
            schema: quoted,
            run: async (text, values) => {
                const explain = `explain (analyze, buffers, format json) ${text}`
                costs.push([name, costIn((await sql.query(explain, values)).rows).numPages])
                return []
            },
        })
        const about = { channel: "_default", orphanGraceMs: 300_000 }
        await lookAround({
            ...explaining("look-around"),
            ...about,
            lanes: isLimited ? [] : [{ definitionID, leaseID, priority: 0, cursor: 0 }],
            limitedIDs: isLimited ? [definitionID] : [],
            knownIDs: [definitionID],
        })
        await lookAround({
            ...explaining("look-around of a worker that knows nothing"),
            ...{ ...about, lanes: [], limitedIDs: [], knownIDs: [] },
        })
        await claimLimitedJobs({
            ...explaining("claim-limited-jobs"),
            ...{ definitions: [{ definitionID, leaseID }], limit: 1 },
        })
        expect(costs).toHaveLength(3)
        for (const [name, numPages] of costs) expect(numPages, name).toBeLessThan(FEW_PAGES)
    },
)
