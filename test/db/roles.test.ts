import { describe, expect, it } from "vitest"
import { Config, Inspector } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalizedJobs } from "../support/finalized.ts"
import { SECURITY, securitySql } from "../support/security.ts"
import { openDirectSession } from "../support/transaction.ts"
import {
    eventually,
    hasServer,
    makeDirectPool,
    makePool,
    makeQueue,
    prepareForRoles,
    type Queue,
} from "../support/with-schema.ts"

type Role = "cuckmq_owner" | "cuckmq_runtime" | "cuckmq_producer" | "cuckmq_inspector"

/** A queue that docs/security.md was followed for. */
async function makeQueueWithRoles() {
    const queue = await makeQueue({ isPrepared: false })
    await prepareForRoles(queue)
    const as = (role: Role) => new Config({ pool: makePool({ role }), schema: queue.schemaName })
    return { ...queue, as }
}

/** The SQLSTATEs that statements end with for a role. */
async function refusals(role: Role, statements: readonly string[]): Promise<Record<string, unknown>> {
    const pool = makePool({ role })
    const states: Record<string, unknown> = {}
    for (const text of statements)
        states[text] = await pool.query(text).then(
            () => "done",
            (error: { code?: string }) => error.code,
        )
    return states
}

function allRefused(statements: readonly string[]): Record<string, unknown> {
    return Object.fromEntries(statements.map((text) => [text, "42501"]))
}

function daemonErrors(queue: Queue): unknown[] {
    return queue.events.filter(({ eventType }) => eventType === "daemon-error")
}

it.skipIf(!hasServer())(
    "the advisory lock of docs/security.md is the one that a migration waits for",
    async () => {
        const queue = await makeQueue({ isPrepared: false })
        const lock = /pg_advisory_xact_lock\((\d+), hashtext\(/.exec(SECURITY)?.[1]
        const holder = await openDirectSession()
        await holder.query("begin")
        await holder.query("select pg_advisory_xact_lock($1, hashtext($2))", [lock, queue.schemaName])
        const isPrepared = queue.config.prepareSchema()
        await eventually(async () => {
            const waiting =
                "select from pg_locks where locktype = 'advisory' and classid = $1 and not granted"
            return (await queue.sql.query(waiting, [lock])).rows.length === 1
        })
        await holder.query("commit")
        await isPrepared
    },
)

describe.skipIf(!hasServer())("the roles of docs/security.md", () => {
    it("let producers defer whatever there is to defer, and the runtime run and sweep it", async () => {
        const queue = await makeQueueWithRoles()
        const [producer, runtime] = [queue.as("cuckmq_producer"), queue.as("cuckmq_runtime")]
        // Both find that all is there.
        await Promise.all([producer, runtime].map((config) => config.prepareSchema()))
        const deferred = define(producer, () => undefined, { numAttempts: 1 })
        define(
            runtime,
            ({ fails }, { attempt }) => {
                if (fails === true && attempt === 1) throw new Error("first")
                return "done"
            },
            { numAttempts: 1 },
        )
        define(runtime, () => undefined, { name: "limited", releaseIntervalMs: 1 })
        define(runtime, () => undefined, { name: "tick", repeatIntervalMs: 60_000 })
        const first = await deferred.defer({ payload: { fails: true } })
        const many = await deferred.deferMany([{ payload: {} }, { payload: {}, delayMs: 20 }])
        const dependent = await deferred.defer({ payload: {}, dependencies: [first, ...many] })
        const client = await makePool({ role: "cuckmq_producer", max: 1 }).connect()
        await client.query("begin")
        const own = await deferred.defer({ payload: {}, dependencies: [first], client })
        await client.query("commit")
        client.release()
        queue.worker({ config: runtime, concurrency: 5 })
        const rows = await finalizedJobs(queue, [first, ...many, dependent, own])
        expect(rows.filter(({ outcome }) => outcome !== "succeeded")).toEqual([])
        // What the next one depends on is in history only.
        const late = await deferred.defer({ payload: {}, dependencies: [dependent] })
        await finalizedJobs(queue, [late])
        queue.orchestrator({ config: runtime, cleanIntervalMs: 10, finalizedJobSweepThresholdMs: 50 })
        await eventually(async () => (await queue.history()).length === 0)
        expect(daemonErrors(queue)).toEqual([])
    })

    it("let producers defer unique jobs, and change those that stand only where that is granted", async () => {
        const queue = await makeQueueWithRoles()
        const key = "key"
        const job = define(queue.as("cuckmq_producer"), () => undefined, { unique: { key } })
        const { id } = await job.deferDetailed({ payload: { n: 1 } })
        expect(await job.deferManyDetailed([{ payload: {} }, { payload: {} }])).toEqual([
            { id, outcome: "kept" },
            { id, outcome: "kept" },
        ])
        const changes = [
            { payload: { n: 2 }, unique: { onConflict: "replace" } },
            { payload: { n: 3 }, unique: { onConflict: "postpone" } },
        ] as const
        for (const change of changes)
            await expect(job.defer(change)).rejects.toMatchObject({ sqlState: "42501" })
        await makePool({ role: "cuckmq_owner", max: 1 }).query(securitySql("changing", queue.schema))
        for (const change of changes) expect((await job.deferDetailed(change)).id).toBe(id)
        expect(await queue.jobs()).toMatchObject([{ payload: { n: 3 } }])
    })

    it("let a producer see no payload, and change nothing that is there", async () => {
        const { schema } = await makeQueueWithRoles()
        const statements = [
            `select payload from ${schema}.job`,
            `select errors from ${schema}.job`,
            `select payload from ${schema}.job_history`,
            `select result from ${schema}.job_history`,
            `select * from ${schema}.job_history_0`,
            `select * from ${schema}.lease`,
            `update ${schema}.job set state = 'ready'`,
            `update ${schema}.job set payload = '{}'`,
            `delete from ${schema}.job`,
            `delete from ${schema}.job_definition`,
            `delete from ${schema}.job_dependency`,
            `insert into ${schema}.job_history (id) values (1)`,
            `truncate ${schema}.job`,
            `create table ${schema}.own (id integer)`,
            `drop table ${schema}.job`,
        ]
        expect(await refusals("cuckmq_producer", statements)).toEqual(allRefused(statements))
    })

    it("let the runtime make, change and empty no object, and rewrite no history", async () => {
        const { schema } = await makeQueueWithRoles()
        const statements = [
            `create table ${schema}.own (id integer)`,
            `create schema own`,
            `alter table ${schema}.job add column own integer`,
            `drop table ${schema}.job`,
            `truncate ${schema}.job_history_0`,
            `update ${schema}.job_history set outcome = 'succeeded'`,
            `update ${schema}.job_history_0 set outcome = 'succeeded'`,
            `insert into ${schema}.migration (version, name) values (2, 'own')`,
        ]
        expect(await refusals("cuckmq_runtime", statements)).toEqual(allRefused(statements))
    })

    it("let an inspector read everything, and change nothing", async () => {
        const queue = await makeQueueWithRoles()
        const { schema } = queue
        const id = await define(queue.as("cuckmq_producer"), () => undefined).defer({ payload: { n: 1 } })
        const inspector = new Inspector({ config: queue.as("cuckmq_inspector") })
        expect(await inspector.job(id)).toMatchObject({ payload: { n: 1 } })
        expect(await inspector.explain(id)).toMatchObject({ kind: "no-worker-for-channel" })
        expect((await inspector.jobs({ payload: { n: 1 } })).jobs).toMatchObject([{ jobID: id }])
        expect((await inspector.counts()).total.ready.num).toBe(1)
        expect(await inspector.definitions()).toMatchObject([{ name: "job" }])
        expect([await inspector.workers(), await inspector.orchestrators()]).toEqual([[], []])
        const [from, until] = [new Date(Date.now() - 60_000), new Date()]
        expect(await inspector.throughput({ from, until, stepMs: 60_000 })).not.toEqual([])
        expect(await inspector.prometheus()).toMatch(/^cuckmq_jobs_succeeded_total\{.*\} 0$/m)
        const statements = [
            `update ${schema}.job set state = 'ready'`,
            `delete from ${schema}.job_history`,
            `insert into ${schema}.pause (scope, name) values ('everything', '')`,
            `create table ${schema}.own (id integer)`,
            `select nextval('${schema}.job_sequence')`,
        ]
        expect(await refusals("cuckmq_inspector", statements)).toEqual(allRefused(statements))
    })

    it("let the owner make nothing outside of the schema", async () => {
        const { schema } = await makeQueueWithRoles()
        await makeDirectPool().query(securitySql("hardening"))
        const statements = ["create schema own", "create table public.own (id integer)"]
        expect(await refusals("cuckmq_owner", statements)).toEqual(allRefused(statements))
        expect(await refusals("cuckmq_owner", [`create table ${schema}.own (id integer)`])).toEqual({
            [`create table ${schema}.own (id integer)`]: "done",
        })
    })

    it("are told so when the runtime should prepare a schema that is not there", async () => {
        const config = new Config({ pool: makePool({ role: "cuckmq_runtime" }), schema: "nowhere" })
        await expect(config.prepareSchema()).rejects.toMatchObject({
            code: "CUCKMQ_DATABASE",
            sqlState: "42501",
            retryable: false,
        })
    })
})
