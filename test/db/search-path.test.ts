import { randomBytes } from "node:crypto"
import { expect, it, onTestFinished } from "vitest"
import { define } from "../support/define.ts"
import { finalizedJobs } from "../support/finalized.ts"
import { makeRole } from "../support/role.ts"
import { hasServer, makeDirectPool, makePool, makeQueue } from "../support/with-schema.ts"

/**
 * What must not be taken for the functions of Postgres. Each has the types of the real one, or, where that takes any
 * type, those that our statements call it with: Postgres prefers such a one wherever in the path it is.
 */
const FUNCTIONS = [
    ["now()", "timestamptz", "'1970-01-01'::timestamptz"],
    ["clock_timestamp()", "timestamptz", "'1970-01-01'::timestamptz"],
    ["statement_timestamp()", "timestamptz", "'2970-01-01'::timestamptz"],
    ["to_timestamp(double precision)", "timestamptz", "'2970-01-01'::timestamptz"],
    ["date_part(text, interval)", "double precision", "-1::double precision"],
    ["nextval(regclass)", "bigint", "1::bigint"],
    ["string_to_array(text, text)", "text[]", "array['{}']"],
    ["string_to_array(text, text, text)", "text[]", "array['{}']"],
    ["pg_advisory_xact_lock(integer, integer)", "void", "null::void"],
    ["hashtext(text)", "integer", "1"],
    ["to_regclass(text)", "regclass", "null::regclass"],
    ["pg_notify(text, text)", "void", "null::void"],
    ["unnest(bigint[])", "setof bigint", "-1::bigint"],
    ["unnest(integer[])", "setof integer", "-1"],
    ["unnest(double precision[])", "setof double precision", "-1::double precision"],
    ["unnest(text[])", "setof text", "'{}'"],
    ["cardinality(bigint[])", "integer", "-1"],
    ["jsonb_build_object(text, timestamptz)", "jsonb", "'[]'::jsonb"],
    ["jsonb_build_object(text, integer, text, text, text, text, text, text)", "jsonb", "'[]'::jsonb"],
] as const

/** Operators that say the opposite, or nothing of use. */
const OPERATORS = [
    ["=", "text", "text", "boolean", "false"],
    ["=", "name", "name", "boolean", "false"],
    ["=", "bigint", "bigint", "boolean", "false"],
    ["=", "integer", "integer", "boolean", "false"],
    ["<>", "bigint", "bigint", "boolean", "true"],
    [">", "bigint", "bigint", "boolean", "false"],
    [">", "integer", "integer", "boolean", "true"],
    ["<", "timestamptz", "timestamptz", "boolean", "true"],
    ["<=", "timestamptz", "timestamptz", "boolean", "true"],
    ["+", "integer", "integer", "integer", "0"],
    ["+", "timestamptz", "interval", "timestamptz", "'1970-01-01'::timestamptz"],
    ["*", "double precision", "interval", "interval", "'0'::interval"],
    ["*", "double precision", "integer", "double precision", "-1::double precision"],
    ["/", "double precision", "integer", "double precision", "-1::double precision"],
    ["+", "double precision", "integer", "double precision", "-1::double precision"],
    [">", "double precision", "integer", "boolean", "true"],
    ["||", "jsonb", "jsonb", "jsonb", "'[]'::jsonb"],
] as const

/** Makes a schema with false friends of all kinds. */
async function makeHostileSchema(): Promise<string> {
    const schema = `hostile_${randomBytes(8).toString("hex")}`
    const pool = makeDirectPool()
    onTestFinished(async () => {
        await pool.query(`drop schema ${schema} cascade`)
    })
    await pool.query(`create schema ${schema}`)
    for (const [signature, type, value] of FUNCTIONS)
        await pool.query(
            `create function ${schema}.${signature} returns ${type} language sql as $$select ${value}$$`,
        )
    for (const [index, [name, left, right, type, value]] of OPERATORS.entries()) {
        const signature = `${schema}.operator_${index}(${left}, ${right})`
        await pool.query(`create function ${signature} returns ${type} language sql as $$select ${value}$$`)
        await pool.query(
            `create operator ${schema}.${name} (leftarg = ${left}, rightarg = ${right}, function = ${schema}.operator_${index})`,
        )
    }
    for (const table of [
        "job",
        "job_definition",
        "job_history",
        "lease",
        "migration",
        "history_ring",
        "schedule",
    ])
        await pool.query(`create table ${schema}.${table} (id text, version text)`)
    await pool.query(`create type ${schema}.job_state as enum ('hostile')`)
    await pool.query(`create sequence ${schema}.job_sequence`)
    return schema
}

it.skipIf(!hasServer())("a search_path that begins with a hostile schema changes nothing", async () => {
    const hostile = await makeHostileSchema()
    const role = await makeRole({ settings: { search_path: hostile } })
    const { rows } = await makePool({ role, max: 1 }).query(
        `select current_setting('search_path') as path, ${hostile}.now() < pg_catalog.now() as is_false_friend`,
    )
    expect(rows).toEqual([{ path: hostile, is_false_friend: true }])

    const queue = await makeQueue({ isPrepared: false, pool: { role } })
    await queue.config.prepareSchema()
    await queue.otherConfig({ role }).prepareSchema()
    const job = define(
        queue.config,
        ({ fails }, { attempt }) => {
            if (fails === true && attempt === 1) throw new Error("first")
            return "done"
        },
        { numAttempts: 1 },
    )
    const limited = define(queue.config, () => "done", { name: "limited", releaseIntervalMs: 1 })
    define(queue.config, () => "done", { name: "tick", repeatIntervalMs: 60_000 })
    define(queue.config, () => "done", { name: "cron", repeatCron: { expression: "* * * * * *" } })
    const digest = define(queue.config, () => "done", { name: "digest" })
    for (const rule of [{ intervalMs: 20 }, { cron: { expression: "* * * * * *" } }])
        await queue.config.schedules.upsert({
            name: Object.keys(rule).join(),
            definition: digest,
            payload: {},
            onMissed: "skip",
            onOverlap: "skip",
            ...rule,
        })
    await queue.config.schedules.runNow("cron")
    await queue.config.schedules.pause("intervalMs")
    await queue.config.schedules.resume("intervalMs")
    queue.worker({ concurrency: 5 })
    queue.orchestrator({ cleanIntervalMs: 20, heartbeatIntervalMs: 20 })
    const first = await job.defer({ payload: { fails: true } })
    const many = await job.deferMany([{ payload: {} }, { payload: {} }])
    const timed = await job.deferMany([
        { payload: {}, dependencies: [first] },
        { payload: {}, delayMs: 30 },
        { payload: {}, runAt: new Date(Date.now() + 30) },
    ])
    const released = await limited.deferMany([{ payload: {} }, { payload: {} }])
    const finalized = await finalizedJobs(queue, [first, ...many, ...timed, ...released])
    for (const row of finalized) {
        expect(row).toMatchObject({ outcome: "succeeded", result: "done" })
        expect(Math.abs(Number(row.finalized_at) - Date.now())).toBeLessThan(60_000)
    }
    const recentMs = finalized.slice(0, 6).map((row) => Math.abs(Number(row.due_at) - Date.now()))
    expect(Math.max(...recentMs)).toBeLessThan(60_000)
    expect(finalized[0]).toMatchObject({ attempt: 2, token: 2, errors: [{ message: "first" }] })
    expect(queue.events.filter(({ eventType }) => eventType === "daemon-error")).toEqual([])
})
