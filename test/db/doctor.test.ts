import { describe, expect, it } from "vitest"
import { type Check, type CheckName, Config, type Diagnosis, Inspector } from "../../src/index.ts"
import { schemaObjects } from "../../src/schema/objects.ts"
import { define } from "../support/define.ts"
import { makeRole } from "../support/role.ts"
import { openSession } from "../support/transaction.ts"
import {
    eventually,
    hasServer,
    hasSessions,
    makePool,
    makeQueue,
    type Queue,
} from "../support/with-schema.ts"

const checkIn = ({ checks }: Diagnosis, name: CheckName): Check => {
    const check = checks.find((one) => one.name === name)
    if (check === undefined) throw new Error(`no check ${name}`)
    return check
}
const diagnose = (queue: Queue) => new Inspector({ config: queue.config }).doctor()

describe("the migrations of a queue", () => {
    it("are told with when they were applied, and those that are missing as the SQL that makes up for them", async () => {
        const queue = await makeQueue({ isPrepared: false })
        const { config, sql, schema } = queue
        const before = await config.migrations()
        expect(before.length).toBeGreaterThan(10)
        expect(new Set(before.map(({ appliedAt, isKnown }) => `${appliedAt} ${isKnown}`))).toEqual(
            new Set(["null true"]),
        )
        const text = await config.migrationSQL()
        expect(text.split("\n")[0]).toBe("begin;")
        for (const statement of text.split(/;\n/)) if (statement.trim() !== "") await sql.query(statement)
        const after = await config.migrations()
        expect(after.every(({ appliedAt }) => appliedAt instanceof Date)).toBe(true)
        expect(await config.migrationSQL()).toBe("")
        await config.prepareSchema()
        expect(checkIn(await diagnose(queue), "drift").verdict).toBe("ok")

        await sql.query(`insert into ${schema}.migration (version, name) values (9999, 'later')`)
        expect((await config.migrations()).at(-1)).toMatchObject({
            version: 9999,
            name: "later",
            isKnown: false,
        })
        const ahead = checkIn(await diagnose(queue), "schema")
        expect([ahead.verdict, ahead.facts]).toEqual(["warning", { missing: [], unknown: [9999] }])
    })

    it("make exactly the tables, columns and indexes that are looked for", async () => {
        const { sql, schema, schemaName } = await makeQueue()
        const { tables, indexes } = schemaObjects()
        const { rows } = await sql.query(
            `select relname, relkind, relispartition,
                coalesce((select json_agg(attname order by attnum) from pg_attribute
                    where attrelid = pg_class.oid and attnum > 0 and not attisdropped), '[]') as columns,
                exists (select from pg_constraint where conindid = pg_class.oid) as is_of_constraint
            from pg_class where relnamespace = $1::text::regnamespace and relkind in ('r', 'p', 'i', 'I')
            order by relname`,
            [schema],
        )
        const made = rows.filter(({ relkind }) => relkind === "r" || relkind === "p")
        expect([...tables.keys(), "migration"].sort()).toEqual(made.map(({ relname }) => relname).sort())
        for (const { relname, relispartition, columns } of made)
            if (relname !== "migration" && !relispartition)
                expect([relname, tables.get(relname as string)]).toEqual([relname, columns])
        const madeIndexes = rows.filter(
            ({ relkind, relispartition, is_of_constraint }) =>
                /i/i.test(relkind as string) && !relispartition && !is_of_constraint,
        )
        expect([...indexes].sort()).toEqual(madeIndexes.map(({ relname }) => relname).sort())
        expect(schemaName).not.toBe("s")
    })
})

describe("the doctor", () => {
    it("finds nothing the matter with a queue that is looked after, and names every check", async () => {
        const queue = await makeQueue()
        define(queue.config, () => undefined)
        queue.worker()
        queue.orchestrator()
        const inspector = new Inspector({ config: queue.config })
        await eventually(async () => (await inspector.orchestrators()).length === 1)
        const diagnosis = await inspector.doctor()
        const verdicts = Object.fromEntries(diagnosis.checks.map(({ name, verdict }) => [name, verdict]))
        expect(verdicts).toMatchObject({
            ...{ schema: "ok", drift: "ok", "postgres-version": "ok", server: "ok", autovacuum: "ok" },
            ...{ timeouts: "ok", clock: "ok", "job-table": "ok", "stuck-jobs": "ok" },
            ...{
                "lapsed-leases": "ok",
                orchestrators: "ok",
                listen: hasSessions() || !hasServer() ? "ok" : "warning",
            },
        })
        expect(diagnosis.checks.map(({ name }) => name).sort()).toEqual(
            [
                ...[
                    "autovacuum",
                    "clock",
                    "connections",
                    "drift",
                    "durability",
                    "job-table",
                    "lapsed-leases",
                ],
                ...["listen", "old-snapshots", "orchestrators", "postgres-version", "schema", "server"],
                ...["stuck-jobs", "timeouts"],
            ].sort(),
        )
        expect(diagnosis.at).toBeInstanceOf(Date)
    })

    it("says that a schema is not prepared, or behind, and skips what cannot be checked then", async () => {
        const queue = await makeQueue({ isPrepared: false })
        const bare = await diagnose(queue)
        expect([bare.verdict, checkIn(bare, "schema").summary]).toEqual([
            "problem",
            "the schema is not prepared",
        ])
        expect(checkIn(bare, "drift")).toMatchObject({ verdict: "skipped", advice: null })
        expect(checkIn(bare, "postgres-version").verdict).toBe("ok")
        await queue.config.prepareSchema()
        await queue.sql.query(`delete from ${queue.schema}.migration where version = 13`)
        expect(checkIn(await diagnose(queue), "schema")).toMatchObject({
            verdict: "problem",
            summary: "the schema is behind this release: 1 migration missing, from 13 (create-daemons) on",
        })
    })

    it("finds what is missing of the schema, and jobs, leases and ticks that nobody cares for", async () => {
        const queue = await makeQueue()
        const { sql, schema, config } = queue
        const job = define(config, () => undefined)
        define(config, () => undefined, { name: "tick", repeatIntervalMs: 1_000 })
        const [ready, delayed, running] = [
            await job.defer({ payload: {} }),
            await job.defer({ payload: {}, delayMs: 60_000 }),
            await job.defer({ payload: {} }),
        ]
        await config.schedules.upsert({ name: "s", definition: job, intervalMs: 60_000, payload: {} })
        const quiet = await diagnose(queue)
        expect(checkIn(quiet, "stuck-jobs").verdict).toBe("ok")
        expect(checkIn(quiet, "orchestrators")).toMatchObject({ verdict: "problem", facts: { numLive: 0 } })

        await sql.query(
            `update ${schema}.job set due_at = due_at - interval '10 min' where id in (${ready}, ${delayed})`,
        )
        await sql.query(
            `with opened as (
                insert into ${schema}.lease (worker, interval_ms, expires_at)
                values ('gone', 1000, clock_timestamp() - interval '2 min') returning id
            )
            update ${schema}.job set state = 'running', lease_id = opened.id from opened where job.id = ${running}`,
        )
        await sql.query(`update ${schema}.schedule set next_repeat_at = clock_timestamp() - interval '2 min'`)
        await sql.query(`drop index ${schema}.job_begun_idx`)
        await sql.query(`alter table ${schema}.paused_key drop column reason`)
        await sql.query(`alter table ${schema}.job set (autovacuum_enabled = false)`)
        const diagnosis = await diagnose(queue)
        expect(checkIn(diagnosis, "drift").facts).toEqual({
            missing: ["column paused_key.reason", "index job_begun_idx"],
            invalidIndexes: [],
        })
        expect(checkIn(diagnosis, "autovacuum").verdict).toBe("problem")
        const stuck = checkIn(diagnosis, "stuck-jobs")
        expect(stuck).toMatchObject({
            verdict: "problem",
            facts: {
                ready: [
                    { definition: "job", channel: "_default", numReady: 1, oldestReady: { jobID: ready } },
                ],
                delayed: [{ definition: "job", channel: "_default", num: 1 }],
            },
        })
        expect(stuck.summary).toMatch(
            /^1 ready job of "job" \(channel "_default"\), the oldest for 10 minutes/,
        )
        expect(checkIn(diagnosis, "lapsed-leases").facts).toEqual({
            numLapsedLeases: 1,
            lapsedWorkers: ["gone"],
        })
        expect(checkIn(diagnosis, "orchestrators").facts).toMatchObject({ numOverdueTicks: 1 })

        await config.pause({ definition: "job" })
        await sql.query(`delete from ${schema}.job where id = ${delayed}`)
        expect(checkIn(await diagnose(queue), "stuck-jobs").verdict).toBe("ok")
    })

    it.skipIf(!hasServer())(
        "sees settings of its own session, who holds a snapshot, and what its role may not see",
        async () => {
            const queue = await makeQueue()
            const role = await makeRole({
                settings: {
                    statement_timeout: "3s",
                    synchronous_commit: "off",
                    idle_session_timeout: "1min",
                },
            })
            const config = new Config({ pool: makePool({ role }), schema: queue.schemaName })
            const session = await openSession()
            await session.query("begin isolation level repeatable read")
            const { rows } = await session.query("select pg_backend_pid() as pid, txid_current()")
            const diagnosis = await new Inspector({ config }).doctor()
            expect(checkIn(diagnosis, "timeouts")).toMatchObject({
                verdict: "warning",
                summary:
                    "short timeouts of the server: statement_timeout is 3 seconds, idle_session_timeout is 60 seconds",
            })
            expect(checkIn(diagnosis, "durability").verdict).toBe("warning")
            const { holders } = checkIn(diagnosis, "old-snapshots").facts as {
                holders: { kind: string; name: string; heldMs: number }[]
            }
            const pid = String((rows[0] as { pid: unknown }).pid)
            expect(holders.find(({ name }) => name === pid)).toMatchObject({
                kind: "session",
                state: "idle in transaction",
                heldMs: expect.any(Number),
            })
        },
    )
})
