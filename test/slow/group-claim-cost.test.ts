import { describe, expect, it } from "vitest"
import { type Cost, costIn, FEW_PAGES } from "../support/cost.ts"
import { define } from "../support/define.ts"
import { claimIn } from "../support/gated.ts"
import { eventually, hasServer, makeQueue, type Queue } from "../support/with-schema.ts"

const MANY = 100_000

/** So many jobs, each in a group of its own, like the one that there is. */
async function addGroups({ sql, schema }: Queue): Promise<void> {
    await sql.query(
        `insert into ${schema}.job
            (id, position, definition_id, created_at, due_at, expires_at, num_attempts, state, payload, lane)
        select -n, -n, definition_id, created_at, due_at, expires_at, 0, 'ready', payload, 'g' || n || repeat(chr(31), 2)
        from ${schema}.job cross join generate_series(1, ${MANY}) as n
        where id > 0`,
    )
}

/** What the table is like when ten jobs of groups are claimed. */
const SHAPES: Record<string, (queue: Queue) => Promise<unknown>> = {
    "almost empty": ({ sql, schema }) => sql.query(`analyze ${schema}.job`),
    large: async (queue) => {
        await addGroups(queue)
        await queue.sql.query(`vacuum analyze ${queue.schema}.job`)
    },
    "large, while statistics say that it is empty": async (queue) => {
        const { sql, schema } = queue
        await sql.query(`alter table ${schema}.job set (autovacuum_enabled = false)`)
        await sql.query(`vacuum analyze ${schema}.job`)
        await addGroups(queue)
    },
    "large, while statistics say that all jobs run": async (queue) => {
        const { sql, schema } = queue
        await sql.query(`alter table ${schema}.job set (autovacuum_enabled = false)`)
        await addGroups(queue)
        await sql.query(`update ${schema}.job set state = 'running'`)
        await sql.query(`vacuum analyze ${schema}.job`)
        await sql.query(`update ${schema}.job set state = 'ready'`)
    },
    "almost empty, while statistics say that it is large": async (queue) => {
        const { sql, schema } = queue
        await sql.query(`alter table ${schema}.job set (autovacuum_enabled = false)`)
        await addGroups(queue)
        await sql.query(`vacuum analyze ${schema}.job`)
        await sql.query(`delete from ${schema}.job where id < 0`)
        // Snapshots of other tests keep what was deleted for a while.
        await eventually(async () => {
            await sql.query(`vacuum ${schema}.job`)
            const { rows } = await sql.query(`select pg_relation_size('${schema}.job')::int as size`)
            return Number(rows[0]?.size) < 100_000
        }, 60_000)
    },
}

const GROUP = { key: () => "first" }
const KINDS = [
    ["that take turns", { group: GROUP }],
    ["in order", { group: { ...GROUP, ordered: true } }],
    ["under limits", { group: GROUP, concurrencyLimit: { max: 50 }, rateLimit: { max: 5_000, perMs: 1 } }],
] as const

describe.skipIf(!hasServer()).each(KINDS)(
    "a claim of groups %s touches few pages where the table is",
    (_kind, options) => {
        it.each(Object.entries(SHAPES))("%s", async (_name, shape) => {
            const queue = await makeQueue()
            const job = define(queue.config, () => undefined, options)
            await job.defer({ payload: {} })
            await shape(queue)
            await costOfClaim(queue)
            // The first one has met what is left of updated rows, and marked it.
            const { numPages, plan } = await costOfClaim(queue)
            expect(numPages, plan).toBeLessThan(2 * FEW_PAGES)
        })
    },
)

async function costOfClaim(queue: Queue): Promise<Cost> {
    let cost = { numPages: 0, numRows: 0, plan: "" }
    await claimIn(queue, {
        run: async (text, values) => {
            const explain = `explain (analyze, buffers, format json) ${text}`
            cost = costIn((await queue.sql.query(explain, values)).rows)
            return []
        },
    })
    return cost
}
