import { describe, expect, it } from "vitest"
import { Config } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { hasSessions, makePool, makeQueue } from "../support/with-schema.ts"

/** Jobs in one statement that is the same each time: with fewer, a hint may travel. */
const MANY = Array.from({ length: 1_001 }, () => ({ payload: {} }))

/** A queue, and a definition whose pool has one connection, on which the test can look. */
async function makeOnOneConnection() {
    const queue = await makeQueue()
    const pool = makePool({ max: 1 })
    const job = define(new Config({ pool, schema: queue.schemaName }), () => undefined)
    const prepared = async (): Promise<string[]> => {
        const { rows } = await pool.query(
            `select name from pg_prepared_statements where statement like '%insert-ready-job%' order by prepare_time`,
        )
        return rows.map(({ name }) => String(name))
    }
    return { queue, pool, job, prepared }
}

describe.skipIf(!hasSessions())("the statements of defer", () => {
    it("are prepared once a connection, under names that tell their text", async () => {
        const { job, prepared } = await makeOnOneConnection()
        for (let n = 0; n < 3; n++) await job.deferMany(MANY)
        const [name, ...others] = await prepared()
        expect(name).toMatch(/^cuckmq_[0-9a-f]{32}$/)
        expect(others).toEqual([])
        await job.defer({ payload: {} })
        expect(await prepared()).toEqual([name, expect.stringMatching(/^cuckmq_[0-9a-f]{32}$/)])
    })

    it("are done without, once a connection has forgotten what was prepared on it", async () => {
        const { queue, pool, job, prepared } = await makeOnOneConnection()
        await job.deferMany(MANY)
        // What a pooler's other connections are like, and what some applications do with theirs.
        await pool.query("deallocate all")
        await job.deferMany(MANY)
        await Promise.all(Array.from({ length: 5 }, () => job.defer({ payload: {} })))
        expect(await queue.jobs()).toHaveLength(2 * MANY.length + 5)
        expect(await prepared()).toEqual([])
    })

    it("are done without, when a connection has something of that name already", async () => {
        const { queue, job, prepared } = await makeOnOneConnection()
        await job.deferMany(MANY)
        const [name] = await prepared()
        const other = makePool({ max: 1 })
        await other.query(`prepare ${name} as select 1`)
        const sameJob = define(new Config({ pool: other, schema: queue.schemaName }), () => undefined)
        const ids = await sameJob.deferMany(MANY)
        expect((await queue.jobs()).map((row) => Number(row.id))).toEqual(expect.arrayContaining(ids))
    })

    it("are not prepared on the caller's client", async () => {
        const { pool, job, prepared } = await makeOnOneConnection()
        const client = await pool.connect()
        await client.query("begin")
        await job.defer({ payload: {}, client })
        await client.query("commit")
        client.release()
        expect(await prepared()).toEqual([])
    })

    it("are not prepared where the Config says so", async () => {
        const { queue, pool, prepared } = await makeOnOneConnection()
        const config = new Config({ pool, schema: queue.schemaName, preparedStatements: false })
        await define(config, () => undefined).defer({ payload: {} })
        expect(await prepared()).toEqual([])
    })
})
