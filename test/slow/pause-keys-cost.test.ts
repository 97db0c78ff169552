import { describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { costIn } from "../support/cost.ts"
import { type AnyPayload, define } from "../support/define.ts"
import { claimIn } from "../support/gated.ts"
import { hasServer, makeQueue, type Queue } from "../support/with-schema.ts"

const GROUP = { key: ({ key }: AnyPayload) => String(key) }
const PART = { max: 10, key: ({ part }: AnyPayload) => String(part) }

/** How many pages a claim of ten jobs reads that is undone, its plan, and the keys of the jobs that it would take. */
async function costOfClaim(queue: Queue): Promise<{ numPages: number; plan: string; keys: unknown[] }> {
    let plan = ""
    let numPages = 0
    let keys: unknown[] = []
    await coreOf(queue.config)
        .database.transaction(async (run) => {
            ;({ keys } = await claimIn(queue, { run }))
            throw new Error("undone")
        })
        .catch(() => undefined)
    await claimIn(queue, {
        run: async (text, values) => {
            const explain = `explain (analyze, buffers, format json) ${text}`
            ;({ numPages, plan } = costIn((await queue.sql.query(explain, values)).rows))
            return []
        },
    })
    await queue.sql.query(`update ${queue.schema}.job set state = 'ready', lease_id = null, token = 0`)
    return { numPages, plan, keys }
}

/** Copies of the first job, in lanes as `lane` has it, an expression in `n`. */
async function addLike({ sql, schema }: Queue, num: number, lane: string): Promise<void> {
    await sql.query(
        `insert into ${schema}.job
            (id, position, definition_id, created_at, due_at, expires_at, num_attempts, state, payload, lane)
        select least_id - n, least_id - n, definition_id, created_at, due_at, expires_at, 0, 'ready', payload, ${lane}
        from ${schema}.job
        cross join (select least(min(id), 0) as least_id from ${schema}.job) as taken
        cross join generate_series(1, ${num}) as n
        where job.id = (select min(id) from ${schema}.job where id > 0)`,
    )
    await sql.query(`vacuum analyze ${schema}.job`)
}

const KINDS = [
    ["of groups that take turns", { group: GROUP }],
    ["of groups under a limit", { group: GROUP, concurrencyLimit: PART }],
] as const

/**
 * Ten jobs of a group that is paused, and twenty of one that is not and comes after it. There are many more of the first,
 * so that indexes are as high before as after there are yet more.
 */
async function makeJobs(options: (typeof KINDS)[number][1]) {
    const queue = await makeQueue()
    const job = define(queue.config, () => undefined, options)
    const payload = (key: string, part: number) => ({ payload: { key, part } })
    await job.deferMany(Array.from({ length: 10 }, (_, n) => payload("m", n)))
    await job.deferMany(Array.from({ length: 20 }, (_, n) => payload("z", n)))
    await queue.config.pause({ definition: "job", key: "m" })
    await addLike(queue, 10_000, "lane")
    return queue
}

/** What a claim of ten takes, when it does not stop at what is paused. */
const TEN = Array.from({ length: 10 }, () => "z")

describe.skipIf(!hasServer()).each(KINDS)("a claim %s, where a key is paused,", (_kind, options) => {
    it("reads no more for a hundred thousand jobs that wait for it", async () => {
        const queue = await makeJobs(options)
        const before = await costOfClaim(queue)
        await addLike(queue, 100_000, "lane")
        const after = await costOfClaim(queue)
        expect(before.keys).toEqual(TEN)
        expect(after.keys).toEqual(TEN)
        expect(after.numPages, after.plan).toBeLessThan(2 * before.numPages)
    })

    it("goes past its group by one look, however many lanes that has", async () => {
        const queue = await makeJobs(options)
        const before = await costOfClaim(queue)
        // More than a claim goes through.
        await addLike(queue, 20_000, "split_part(lane, chr(31), 1) || chr(31) || 'p' || n || chr(31)")
        const after = await costOfClaim(queue)
        expect(after.keys).toEqual(TEN)
        expect(after.numPages, after.plan).toBeLessThan(2 * before.numPages)
    })

    it("reads no more for ten thousand other keys that are paused", async () => {
        const queue = await makeJobs(options)
        const before = await costOfClaim(queue)
        const { sql, schema } = queue
        await sql.query(
            `insert into ${schema}.paused_key (definition, key)
            select 'job', 'k' || n from generate_series(1, 10000) as n`,
        )
        await sql.query(`vacuum analyze ${schema}.paused_key`)
        const after = await costOfClaim(queue)
        expect(after.keys).toEqual(TEN)
        expect(after.numPages, after.plan).toBeLessThan(2 * before.numPages)
    })
})

it.skipIf(!hasServer()).each(KINDS)(
    "a claim %s, where no key is paused, looks for one once, and not lane by lane",
    async (_kind, options) => {
        const queue = await makeJobs(options)
        await queue.config.resume({ definition: "job", key: "m" })
        await queue.sql.query(`vacuum analyze ${queue.schema}.paused_key`)
        const { plan } = await costOfClaim(queue)
        const numScans = numScansOf("paused_key", JSON.parse(plan))
        expect(numScans, plan).toBe(1)
    },
)

interface PlanNode {
    "Relation Name"?: string
    "Actual Loops": number
    Plans?: PlanNode[]
}

/** How often a table is scanned. */
function numScansOf(table: string, node: PlanNode): number {
    const own = node["Relation Name"] === table ? node["Actual Loops"] : 0
    return (node.Plans ?? []).reduce((num, child) => num + numScansOf(table, child), own)
}
