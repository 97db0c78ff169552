import { randomBytes } from "node:crypto"
import { describe, expect, it } from "vitest"
import { JobDefinition } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalized, finalizedJob } from "../support/finalized.ts"
import { makeRole } from "../support/role.ts"
import { openSession } from "../support/transaction.ts"
import { hasServer, makeQueue } from "../support/with-schema.ts"

/** Functions of others with the names and arguments of those of Postgres that our statements call. */
const IMPOSTORS = [
    "now() returns timestamptz language sql as $$ select '2000-01-01'::timestamptz $$",
    "clock_timestamp() returns timestamptz language sql as $$ select '2000-01-01'::timestamptz $$",
    "statement_timestamp() returns timestamptz language sql as $$ select '2000-01-01'::timestamptz $$",
    "nextval(regclass) returns bigint language sql as $$ select 1::bigint $$",
    "pg_notify(text, text) returns void language plpgsql as $$ begin raise 'impostor'; end $$",
    "string_to_array(text, text, text) returns text[] language sql as $$ select '{}'::text[] $$",
    "set_config(text, text, boolean) returns text language sql as $$ select 'impostor' $$",
    "is_equal(bigint, bigint) returns boolean language sql as $$ select true $$",
]

describe.skipIf(!hasServer())("a queue in a database that others use", () => {
    it("is not led astray by functions, operators and tables of theirs that come first in the search path", async () => {
        const theirs = `theirs_${randomBytes(4).toString("hex")}`
        const role = await makeRole({ settings: { search_path: `${theirs},public` } })
        const queue = await makeQueue({ pool: { role } })
        const { sql, schema } = queue
        await sql.query(`create schema ${theirs}`)
        for (const impostor of IMPOSTORS) await sql.query(`create function ${theirs}.${impostor}`)
        await sql.query(
            `create operator ${theirs}.= (leftarg = bigint, rightarg = bigint, function = ${theirs}.is_equal)`,
        )
        for (const table of ["job", "job_definition", "lease", "job_history"])
            await sql.query(`create table ${theirs}.${table} (impostor text)`)
        await sql.query(`create type ${theirs}.job_state as enum ('impostor')`)
        const job = define(
            queue.config,
            (_payload, { attempt }) => {
                if (attempt === 1) throw new Error("first")
                return attempt
            },
            { numAttempts: 1 },
        )
        const limited = new JobDefinition({
            config: queue.config,
            name: "limited",
            releaseIntervalMs: 1,
            jobFunction: (_payload: object) => 2,
        })
        limited.register()
        const ids = await job.deferMany([{ payload: {} }, { payload: {}, delayMs: 10 }])
        await job.defer({ payload: {}, dependencies: ids })
        await limited.defer({ payload: {}, dependencies: ids })
        queue.worker({ concurrency: 3 })
        queue.orchestrator({ cleanIntervalMs: 10, heartbeatIntervalMs: 10 })
        const rows = await finalized(queue, 4)
        expect(rows.map(({ outcome, result }) => [outcome, result])).toEqual(Array(4).fill(["succeeded", 2]))
        expect(queue.events.filter(({ eventType }) => eventType === "daemon-error")).toEqual([])
        const { rows: recent } = await sql.query(
            `select bool_and(finalized_at > pg_catalog.now() - interval '1 h') as yes from ${schema}.job_history`,
        )
        expect(recent).toEqual([{ yes: true }])
        await sql.query(`drop schema ${theirs} cascade`)
    })

    it("does not wait for advisory locks of theirs", async () => {
        const session = await openSession()
        await session.query("select pg_advisory_lock(n) from generate_series(0, 1000) as n")
        await session.query(
            "select pg_advisory_lock(a, b) from generate_series(0, 30) as a, generate_series(0, 30) as b",
        )
        const queue = await makeQueue()
        const job = define(queue.config, () => "done")
        queue.worker()
        queue.orchestrator({ cleanIntervalMs: 10 })
        expect(await finalizedJob(queue, await job.defer({ payload: {} }))).toMatchObject({ result: "done" })
    })
})
