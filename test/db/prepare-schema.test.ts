import { randomBytes } from "node:crypto"
import { describe, expect, it } from "vitest"
import { Config, InvalidOptionError, SchemaNotPreparedError } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalized, finalizedJob } from "../support/finalized.ts"
import { makeRole } from "../support/role.ts"
import { eventually, hasServer, makePool, makeQueue } from "../support/with-schema.ts"

/** Names that break whoever forgets to quote; each test adds what makes them its own. */
const HOSTILE_NAMES = [
    'a"; drop table x; --',
    "Ünï côde",
    "it's",
    "back\\slash",
    "$1 %s {x}",
    "select",
    "a.b",
    " ",
    "--",
    'quotes " and \' and ""',
]

function unique(name: string): string {
    return `${name}${randomBytes(3).toString("hex")}`
}

describe("prepareSchema", () => {
    it("may be called again, and changes nothing then", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        await job.defer({ payload: {} })
        const ledger = `select version, name, applied_at from ${queue.schema}.migration order by version`
        const { rows } = await queue.sql.query(ledger)
        const before = await queue.jobs()
        await queue.config.prepareSchema()
        await queue.otherConfig().prepareSchema()
        expect(await queue.jobs()).toEqual(before)
        expect((await queue.sql.query(ledger)).rows).toEqual(rows)
        expect(rows[0]).toMatchObject({ version: 1, name: "create-tables" })
        // Each once, in their order. Of two that were made side by side, one may be a release behind the other.
        const versions = rows.map(({ version }) => Number(version))
        expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b))
        expect(versions).toContain(12)
    })

    it.skipIf(!hasServer())("may be called by 20 processes at once", async () => {
        const queue = await makeQueue({ isPrepared: false })
        const configs = Array.from({ length: 20 }, () => queue.otherConfig({ max: 1 }))
        await Promise.all(configs.map((config) => config.prepareSchema()))
        const job = define(queue.config, () => undefined)
        queue.worker()
        expect(await finalizedJob(queue, await job.defer({ payload: {} }))).toBeDefined()
    })

    it("works on a schema that exists already, with tables of others in it", async () => {
        const queue = await makeQueue({ isPrepared: false })
        await queue.sql.query(`create schema ${queue.schema}`)
        await queue.sql.query(`create table ${queue.schema}.theirs (id integer)`)
        await queue.config.prepareSchema()
        const job = define(queue.config, () => undefined)
        queue.worker()
        expect(await finalizedJob(queue, await job.defer({ payload: {} }))).toBeDefined()
    })

    it("keeps two schemas of one database apart", async () => {
        const [one, other] = [await makeQueue(), await makeQueue()]
        const job = define(one.config, () => "one")
        define(other.config, () => "other")
        other.worker()
        one.worker()
        await job.defer({ payload: {} })
        expect(await finalized(one, 1)).toMatchObject([{ result: "one" }])
        expect(await other.history()).toEqual([])
    })

    it.skipIf(!hasServer())(
        "may be called by a role that may not create anything, when all is there",
        async () => {
            const queue = await makeQueue()
            const role = await makeRole({
                grants: [`usage on schema ${queue.schema}`, `select on ${queue.schema}.migration`],
            })
            const config = new Config({
                pool: makePool({ max: 1, role }),
                schema: queue.schemaName,
            })
            await config.prepareSchema()
            const elsewhere = new Config({
                pool: makePool({ max: 1, role }),
                schema: "nope",
            })
            await expect(elsewhere.prepareSchema()).rejects.toMatchObject({
                code: "CUCKMQ_DATABASE",
                sqlState: "42501",
                retryable: false,
            })
        },
    )

    it("says where to call it when a job is deferred before it", async () => {
        const queue = await makeQueue({ isPrepared: false })
        const job = define(queue.config, () => undefined)
        const error = await job.defer({ payload: {} }).catch((thrown: unknown) => thrown)
        expect(error).toBeInstanceOf(SchemaNotPreparedError)
        expect(error).toMatchObject({ code: "CUCKMQ_SCHEMA_NOT_PREPARED", retryable: false })
        expect(String(error)).toContain("prepareSchema()")
        await expect(job.deferMany([{ payload: {} }, { payload: {}, delayMs: 10 }])).rejects.toThrow(
            SchemaNotPreparedError,
        )
        await queue.config.prepareSchema()
        expect(await job.defer({ payload: {} })).toBe(1)
    })

    it("may come after the daemons, which begin to work then", async () => {
        const queue = await makeQueue({ isPrepared: false })
        const job = define(queue.config, () => undefined, { name: "job" })
        const tick = define(queue.config, () => undefined, { name: "tick", repeatIntervalMs: 60_000 })
        queue.worker()
        queue.orchestrator()
        await eventually(
            () => queue.events.filter(({ eventType }) => eventType === "daemon-error").length > 2,
        )
        await queue.config.prepareSchema()
        const id = await job.defer({ payload: {} })
        expect(await finalizedJob(queue, id)).toMatchObject({ outcome: "succeeded" })
        const isTick = (event: object) => "jobName" in event && event.jobName === tick.name
        await eventually(() =>
            queue.events.some((event) => event.eventType === "orchestrator-job-schedule" && isTick(event)),
        )
        expect(queue.events.some(({ eventType }) => eventType === "daemon-stop")).toBe(false)
    })
})

describe("a schema name", () => {
    it.each(HOSTILE_NAMES)("such as %j carries the whole life of a job", async (name) => {
        const queue = await makeQueue({ schemaName: unique(name) })
        const job = define(
            queue.config,
            ({ fails }, { attempt }) => {
                if (fails === true && attempt === 1) throw new Error("first")
                return "done"
            },
            { numAttempts: 1 },
        )
        define(queue.config, () => undefined, { name: "limited", releaseIntervalMs: 1 })
        const tick = define(queue.config, () => undefined, { name: "tick", repeatIntervalMs: 60_000 })
        queue.worker()
        queue.orchestrator({ cleanIntervalMs: 20 })
        const required = await job.defer({ payload: { fails: true } })
        await job.defer({ payload: {}, dependencies: [required] })
        await job.defer({ payload: {}, delayMs: 20 })
        const rows = await finalized(queue, 4)
        expect(rows.filter(({ outcome }) => outcome !== "succeeded")).toEqual([])
        expect(queue.events.filter(({ eventType }) => eventType === "daemon-error")).toEqual([])
        expect(tick.name).toBe("tick")
    })

    it("of 63 bytes is taken whole", async () => {
        const name = `${"ü".repeat(28)}_${randomBytes(3).toString("hex")}`
        expect(Buffer.byteLength(name)).toBe(63)
        const queue = await makeQueue({ schemaName: name })
        const found = await queue.sql.query("select 1 from pg_namespace where nspname = $1", [name])
        expect(found.rows).toHaveLength(1)
    })

    it.each([
        ["empty", ""],
        ["64 bytes long", "a".repeat(64)],
        ["64 bytes of 32 characters", "ü".repeat(32)],
        ["reserved by Postgres", "pg_x"],
        ["one with a NUL", "a\u0000b"],
        ["one with a lone surrogate", "a\ud800"],
        ["no text", 5],
    ])("that is %s is refused before anything is sent", async (_what, name) => {
        const { pool } = await makeQueue({ isPrepared: false })
        expect(() => new Config({ pool, schema: name as string })).toThrow(InvalidOptionError)
        expect(() => new Config({ pool, schema: name as string })).toThrow(/`schema`/)
    })
})
