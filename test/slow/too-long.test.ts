import { randomBytes } from "node:crypto"
import { describe, expect, inject, it } from "vitest"
import { Config, type Pool } from "../../src/index.ts"
import { define } from "../support/define.ts"
import { finalizedJobs } from "../support/finalized.ts"
import { refusesNext } from "../support/flaky-pool.ts"
import { makeGate } from "../support/gate.ts"
import { versionOf } from "../support/legs.ts"
import { makeRole } from "../support/role.ts"
import {
    eventually,
    hasServer,
    hasSessions,
    makeDirectPool,
    makePool,
    makeQueue,
    type Queue,
} from "../support/with-schema.ts"

/** So many jobs that no statement about all of them ends in time, with a millisecond for each. */
const NUM_JOBS = 1_000
const TIMEOUT = "-c statement_timeout=300"

/** Every row of a table takes a millisecond to be deleted or updated. */
async function slowDown(
    { sql, schema }: Queue,
    table: string,
    verb: "insert" | "update" | "delete",
): Promise<void> {
    await sql.query(`create or replace function ${schema}.slow() returns trigger language plpgsql as
        $$ begin perform pg_sleep(0.001); return coalesce(new, old); end $$`)
    await sql.query(`create trigger slow before ${verb} on ${schema}.${table}
        for each row execute function ${schema}.slow()`)
}

function manyJobs(): { payload: Record<string, never> }[] {
    return Array.from({ length: NUM_JOBS }, () => ({ payload: {} }))
}

function numEvents({ events }: Queue, eventType: string): number {
    return events.filter((event) => event.eventType === eventType).length
}

function configOn(queue: Queue, pool: Pool): Config {
    return new Config({ pool, schema: queue.schemaName })
}

describe.skipIf(!hasServer())(
    "a statement that the server gives up as too long is repeated in pieces",
    () => {
        it("when many callers defer at the same time", async () => {
            const queue = await makeQueue()
            const job = define(configOn(queue, makeDirectPool({ options: TIMEOUT })), () => undefined)
            await job.defer({ payload: {} })
            await slowDown(queue, "job", "insert")
            const ids = await Promise.all(manyJobs().map((each) => job.defer(each)))
            expect(new Set(ids).size).toBe(NUM_JOBS)
            expect((await queue.jobs()).slice(1).map(({ id }) => Number(id))).toEqual(
                ids.sort((a, b) => a - b),
            )
        })

        it("when many callers defer at the same time, and refuses alone what is too long alone", async () => {
            const queue = await makeQueue()
            const { sql, schema } = queue
            const job = define(queue.config, () => undefined)
            await job.defer({ payload: {} })
            await sql.query(`create function ${schema}.refuse() returns trigger language plpgsql as
                $$ begin raise 'too long' using errcode = '57014'; end $$`)
            await sql.query(`create trigger refuse before insert on ${schema}.job
                for each row when (new.payload->>'n' = '7') execute function ${schema}.refuse()`)
            const settled = await Promise.allSettled(
                Array.from({ length: 20 }, (_, n) => job.defer({ payload: { n } })),
            )
            const refused = settled.flatMap(({ status }, n) => (status === "rejected" ? [n] : []))
            expect(refused).toEqual([7])
            expect(settled[7]).toMatchObject({
                reason: { code: "CUCKMQ_DATABASE", sqlState: "57014", retryable: true },
            })
            expect(await queue.jobs()).toHaveLength(20)
        })

        it("when jobs expire", async () => {
            const queue = await makeQueue()
            const job = define(queue.config, () => undefined, { timeoutIntervalMs: 1 })
            await job.deferMany(manyJobs())
            await slowDown(queue, "job", "delete")
            queue.orchestrator({
                config: configOn(queue, makeDirectPool({ options: TIMEOUT })),
                cleanIntervalMs: 10,
            })
            await eventually(async () => (await queue.jobs()).length === 0, 25_000)
            expect(await queue.history()).toHaveLength(NUM_JOBS)
            expect(numEvents(queue, "orchestrator-job-finalize-failure-timeout")).toBe(NUM_JOBS)
        })

        it("when jobs are taken back from a worker that went silent", async () => {
            const queue = await makeQueue()
            const gate = makeGate()
            const job = define(queue.config, () => gate.opened, { numAttempts: 1 })
            await job.deferMany(manyJobs())
            // It looks around so seldom that taking back is left to the orchestrator.
            queue.worker({ concurrency: NUM_JOBS, processIntervalMs: 60_000 })
            await eventually(() => numEvents(queue, "worker-job-dequeue") === NUM_JOBS)
            await queue.sql.query(
                `update ${queue.schema}.lease set expires_at = clock_timestamp(), revoked_by = pg_current_xact_id()`,
            )
            await slowDown(queue, "job", "update")
            queue.orchestrator({
                config: configOn(queue, makeDirectPool({ options: TIMEOUT })),
                cleanIntervalMs: 10,
            })
            const running = `select 1 from ${queue.schema}.job where state = 'running' limit 1`
            await eventually(async () => (await queue.sql.query(running)).rows.length === 0, 25_000)
            await queue.sql.query(`drop trigger slow on ${queue.schema}.job`)
            gate.open()
        })

        it("when delayed jobs are due", async () => {
            const queue = await makeQueue()
            const config = configOn(queue, makeDirectPool({ options: TIMEOUT }))
            const job = define(config, () => undefined)
            await job.deferMany(manyJobs().map((each) => ({ ...each, delayMs: 1 })))
            await slowDown(queue, "job", "update")
            queue.worker({ config, concurrency: 10 })
            const delayed = `select 1 from ${queue.schema}.job where state = 'delayed' limit 1`
            await eventually(async () => (await queue.sql.query(delayed)).rows.length === 0, 25_000)
            await queue.sql.query(`drop trigger slow on ${queue.schema}.job`)
        })

        it("when history is swept by a role that may not truncate", async () => {
            const queue = await makeQueue()
            const { sql, schema } = queue
            const job = define(queue.config, () => undefined)
            queue.worker({ concurrency: 100 })
            await finalizedJobs(queue, await job.deferMany(manyJobs()))
            await slowDown(queue, "job_history", "delete")
            const role = `role_${randomBytes(4).toString("hex")}`
            await sql.query(`create role ${role}`)
            await sql.query(`grant usage on schema ${schema} to ${role}`)
            await sql.query(
                `grant select, insert, update, delete on all tables in schema ${schema} to ${role}`,
            )
            const pool = makeDirectPool({ options: `${TIMEOUT} -c role=${role}` })
            queue.orchestrator({
                config: configOn(queue, pool),
                cleanIntervalMs: 10,
                finalizedJobSweepThresholdMs: 10,
            })
            await eventually(async () => (await queue.history()).length === 0, 25_000)
        })

        it("or without its count, when history is swept", async () => {
            const queue = await makeQueue()
            const job = define(queue.config, () => undefined)
            queue.worker()
            await finalizedJobs(queue, await job.deferMany([{ payload: {} }, { payload: {} }]))
            const pool = refusesNext(makePool(), {
                part: "-- cuckmq: count-history-slot",
                num: Number.POSITIVE_INFINITY,
                sqlState: "57014",
            })
            queue.orchestrator({
                config: configOn(queue, pool),
                cleanIntervalMs: 10,
                finalizedJobSweepThresholdMs: 10,
            })
            await eventually(async () => (await queue.history()).length === 0)
            await eventually(() => numEvents(queue, "orchestrator-finalized-job-sweep") > 0)
            expect(pool.numRefused).toBeGreaterThan(0)
        })
    },
)

describe.skipIf(!hasServer())(
    "a role whose statements, locks, transactions and idle time are all limited",
    () => {
        it("does all that there is to do, over a large history", async () => {
            const queue = await makeQueue()
            const { sql, schema } = queue
            const settings = {
                statement_timeout: "500ms",
                lock_timeout: "50ms",
                idle_in_transaction_session_timeout: "500ms",
                ...(versionOf(inject("leg")) >= 17 ? { transaction_timeout: "1s" } : {}),
            }
            const config = queue.otherConfig({ role: await makeRole({ settings }) })
            let numRuns = 0
            const job = define(config, () => void numRuns++)
            queue.worker({ config, concurrency: 5 })
            await finalizedJobs(queue, [await job.defer({ payload: {} })])
            await sql.query(`insert into ${schema}.job_history select h.*
            from ${schema}.job_history as h cross join generate_series(1, 300000)`)
            const some = await job.deferMany(Array.from({ length: 200 }, () => ({ payload: {} })))
            // The role gives up on a job that is locked, which defers nothing and may be repeated.
            const dependents = some.map((id) => ({ payload: {}, dependencies: [id], delayMs: 10 }))
            await eventually(() =>
                job.deferMany(dependents).catch((error: unknown) => {
                    expect(error).toMatchObject({ code: "CUCKMQ_DATABASE", retryable: true })
                }),
            )
            queue.orchestrator({ config, cleanIntervalMs: 20, finalizedJobSweepThresholdMs: 200 })
            await eventually(() => numRuns === 401, 25_000)
            await eventually(async () => {
                const { rows } = await sql.query(
                    `select exists (select from ${schema}.job_history) as is_left`,
                )
                return rows[0]?.is_left === false
            }, 25_000)
        }, 60_000)
    },
)

// Behind a pooler the name of the session is not the one to look for.
describe.skipIf(!hasSessions())("statements that are cancelled at random", () => {
    it("are repeated where it is safe, and fail no job", async () => {
        const name = `cuckmq-test-${randomBytes(4).toString("hex")}`
        const queue = await makeQueue({ pool: { application_name: name } })
        const job = define(queue.config, (_payload, { attempt }) => attempt)
        queue.worker({ concurrency: 5 })
        queue.worker({ concurrency: 5 })
        queue.orchestrator({ cleanIntervalMs: 10, heartbeatIntervalMs: 10 })
        const ids: number[] = []
        const refusals: unknown[] = []
        const cancel = `select pg_cancel_backend(pid) from pg_stat_activity
            where application_name = $1 and state = 'active'`
        while (numEvents(queue, "daemon-error") < 20) {
            const deferred = Promise.all(
                Array.from({ length: 20 }, () => job.defer({ payload: {} }).catch((error: unknown) => error)),
            )
            await queue.sql.query(cancel, [name])
            for (const outcome of await deferred) {
                if (typeof outcome === "number") ids.push(outcome)
                else refusals.push(outcome)
            }
        }
        for (const refusal of refusals)
            expect(refusal).toMatchObject({ code: "CUCKMQ_DATABASE", sqlState: "57014", retryable: true })
        const rows = await finalizedJobs(queue, ids)
        expect(rows.filter(({ outcome, attempt }) => outcome !== "succeeded" || attempt !== 1)).toEqual([])
        expect(numEvents(queue, "worker-job-error")).toBe(0)
        expect(numEvents(queue, "daemon-stop")).toBe(0)
    })
})
