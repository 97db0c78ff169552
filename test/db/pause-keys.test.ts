import { describe, expect, inject, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { InvalidOptionError, type JobDefinition } from "../../src/index.ts"
import { claimJobs } from "../../src/statements/claim-jobs.ts"
import { claimLimitedJobs } from "../../src/statements/claim-limited-jobs.ts"
import { openLease } from "../../src/statements/leases.ts"
import { type AnyPayload, define } from "../support/define.ts"
import { finalized, finalizedJob, finalizedJobs } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { claimIn, times } from "../support/gated.ts"
import { openDirectSession, untilWaitingForLock } from "../support/transaction.ts"
import { eventually, hasServer, hasSessions, makeQueue, type Queue } from "../support/with-schema.ts"

type Options = Parameters<typeof define>[2]

const byKey = (payload: AnyPayload) => String(payload.key)

/** Every option that gives jobs a key. */
const KEYS: [string, Options][] = [
    ["group", { group: { key: byKey } }],
    ["ordered group", { group: { key: byKey, ordered: true } }],
    ["concurrency limit", { concurrencyLimit: { max: 10, key: byKey } }],
    ["rate limit", { rateLimit: { max: 1_000, perMs: 60_000, key: byKey } }],
]

/** An advisory lock that nothing else takes. */
const LOCK = 20_271_003
const WAIT = `pg_advisory_xact_lock(${LOCK})`

const PAUSED = { definition: "job", key: "paused" }

/** Jobs of two keys. */
const BOTH = [{ payload: { key: "paused" } }, { payload: { key: "open" } }]

const keysOf = (rows: readonly Record<string, unknown>[]) =>
    rows.map(({ payload }) => (payload as AnyPayload).key)

/** Waits until workers have gone on for a while: jobs that come later, of a key that is not paused, have been run. */
async function othersGoOn(queue: Queue, job: JobDefinition<AnyPayload, unknown>): Promise<void> {
    for (let n = 0; n < 2; n++)
        await finalizedJob(queue, await job.defer({ payload: { key: "open" }, delayMs: 10 }))
}

describe.each(KEYS)("a job whose key is that of its %s", (_name, options) => {
    it("is not taken by any worker while its key is paused, and is as soon as that is resumed", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => "ran", options)
        await queue.otherConfig().pause(PAUSED)
        queue.worker()
        queue.worker()
        const [id = 0] = await job.deferMany(BOTH)
        await othersGoOn(queue, job)
        expect(await queue.jobs()).toEqual([expect.objectContaining({ state: "ready", token: 0 })])
        expect(keysOf(await queue.history())).not.toContain("paused")
        expect(await queue.otherConfig().resume(PAUSED)).toBe(true)
        expect(await finalizedJob(queue, id)).toMatchObject({ result: "ran" })
        expect(await queue.config.resume(PAUSED)).toBe(false)
    })

    it("waits when it becomes due, and goes on to its end if it runs, but is not attempted again", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        const job = define(
            queue.config,
            async ({ key }, { attempt }) => {
                if (key !== "paused") return
                await gate.opened
                if (attempt === 1) throw new Error("again")
            },
            { ...options, numAttempts: 5 },
        )
        queue.worker()
        const id = await job.defer({ payload: { key: "paused" } })
        await eventually(async () => (await queue.jobs())[0]?.state === "running")
        await queue.config.pause(PAUSED)
        const due = await job.defer({ payload: { key: "paused" }, delayMs: 20 })
        gate.open()
        await eventually(async () => (await queue.jobs()).every(({ state }) => state === "ready"))
        await othersGoOn(queue, job)
        expect(await queue.jobs()).toEqual([
            expect.objectContaining({ state: "ready", attempt: 1 }),
            expect.objectContaining({ state: "ready", attempt: 0 }),
        ])
        await queue.config.resume(PAUSED)
        expect(await finalizedJobs(queue, [id, due])).toMatchObject([
            { attempt: 2 },
            { outcome: "succeeded" },
        ])
    })

    it("is not claimed by a statement that begins after the commit, whatever the worker knows", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined, options)
        await job.deferMany([...BOTH, ...BOTH])
        await queue.config.pause(PAUSED)
        expect(new Set((await claimIn(queue)).keys)).toEqual(new Set(["open"]))
        // What a worker of the application's release before may have it claimed by: one that knows of no keys.
        await queue.sql.query(`update ${queue.schema}.job set state = 'ready', token = 0`)
        expect(await plainKeys(queue, job)).toEqual(["open", "open"])
        await queue.sql.query(`update ${queue.schema}.job set state = 'ready', token = 0`)
        expect(await limitedKeys(queue, job)).toEqual(["open"])
        await queue.config.resume(PAUSED)
        expect((await claimIn(queue)).keys).toContain("paused")
    })

    it.skipIf(!hasServer())(
        "may come by a claim whose snapshot is older than the pause, and by no other",
        async () => {
            const queue = await makeQueue()
            const job = define(queue.config, () => undefined, options)
            await job.deferMany(times(2, { key: "paused" }))
            const holder = await openDirectSession()
            await holder.query("select pg_advisory_lock($1)", [LOCK])
            // Its snapshot is taken, and it has looked at nothing yet.
            const change = (text: string) =>
                text
                    .replace("with recursive", `with recursive halt as materialized (select ${WAIT}),`)
                    .replace("where exists (", "where (select count(*) from halt) = 1 and exists (")
            const before = claimIn(queue, { run: coreOf(queue.otherConfig()).run, change, limit: 1 })
            await untilWaitingForLock(queue)
            await queue.config.pause(PAUSED)
            expect((await claimIn(queue)).keys).toEqual([])
            await holder.query("select pg_advisory_unlock($1)", [LOCK])
            // Where transactions are serializable, it was refused and done again, with a snapshot that shows the pause.
            expect((await before).keys).toEqual(inject("leg") === "serializable" ? [] : ["paused"])
            await queue.sql.query(`update ${queue.schema}.job set state = 'ready', token = 0`)
            expect((await claimIn(queue)).keys).toEqual([])
        },
    )
})

async function leased(queue: Queue, job: JobDefinition<AnyPayload, unknown>) {
    const { run, schema } = coreOf(queue.config)
    const { rows } = await queue.sql.query(`select id from ${queue.schema}.job_definition where name = $1`, [
        job.name,
    ])
    const leaseID = await openLease({ run, schema, worker: "test", intervalMs: 60_000 })
    return { run, schema, definition: { definitionID: Number(rows[0]?.id), leaseID } }
}

const keysIn = (jobs: readonly { payload: string }[]) => jobs.map(({ payload }) => JSON.parse(payload).key)

async function plainKeys(queue: Queue, job: JobDefinition<AnyPayload, unknown>): Promise<string[]> {
    const { definition, ...query } = await leased(queue, job)
    const lanes = [{ ...definition, priority: 0, cursor: 0 }]
    return keysIn(await claimJobs({ ...query, lanes, limit: 10 }))
}

async function limitedKeys(queue: Queue, job: JobDefinition<AnyPayload, unknown>): Promise<string[]> {
    const { definition, ...query } = await leased(queue, job)
    return keysIn(await claimLimitedJobs({ ...query, definitions: [definition], limit: 10 }))
}

describe("a pause of a key", () => {
    it("counts for each of a job's keys, and for no other definition", async () => {
        const queue = await makeQueue()
        const ran: string[] = []
        const options: Options = {
            group: { key: ({ customer }) => String(customer) },
            concurrencyLimit: { max: 10, key: ({ region }) => String(region) },
            rateLimit: { max: 1_000, perMs: 60_000, key: ({ api }) => String(api) },
        }
        const job = define(queue.config, ({ name }) => void ran.push(String(name)), options)
        const other = define(queue.config, () => "ran", { ...options, name: "other" })
        for (const key of ["ada", "eu", "maps"]) await queue.config.pause({ definition: "job", key })
        queue.worker()
        const payloads = [
            { name: "customer", customer: "ada", region: "us", api: "mail" },
            { name: "region", customer: "bob", region: "eu", api: "mail" },
            { name: "api", customer: "bob", region: "us", api: "maps" },
            { name: "none", customer: "bob", region: "us", api: "mail" },
            { name: "near", customer: "ada ", region: "eu2", api: "map" },
        ]
        const ids = await job.deferMany(payloads.map((payload) => ({ payload })))
        await finalizedJobs(queue, ids.slice(3))
        for (const payload of payloads) await finalizedJob(queue, await other.defer({ payload }))
        expect(ran.sort()).toEqual(["near", "none"])
        for (const key of ["ada", "eu", "maps"]) await queue.config.resume({ definition: "job", key })
        await finalizedJobs(queue, ids)
    })

    it("is listed with others, with when and why, and is one of each key", async () => {
        const { config, otherConfig } = await makeQueue()
        await config.pause({ definition: "job", key: "b" }, { reason: "a bounce" })
        await config.pause({ definition: "job" })
        await config.pause({ definition: "job", key: "a" })
        await config.pause({ definition: "job", key: "b" })
        await config.pause({ definition: "job", key: "a" }, { reason: "unpaid" })
        const pausedAt = expect.any(Date)
        const pauses = await otherConfig().pauses()
        // In the order of their times, which may be the same where a clock counts milliseconds.
        expect(pauses).toHaveLength(3)
        expect(pauses).toEqual(
            expect.arrayContaining([
                { target: { definition: "job", key: "b" }, reason: "a bounce", pausedAt },
                { target: { definition: "job" }, reason: null, pausedAt },
                { target: { definition: "job", key: "a" }, reason: "unpaid", pausedAt },
            ]),
        )
        expect(await config.resume({ definition: "job" })).toBe(true)
        expect(await config.resume({ definition: "jo", key: "a" })).toBe(false)
        expect(await config.resume({ definition: "job", key: "b" })).toBe(true)
        expect((await config.pauses()).map(({ target }) => target)).toEqual([{ definition: "job", key: "a" }])
    })

    it("takes names and keys of any form, as they are", async () => {
        const queue = await makeQueue()
        const name = "a\u001fb, \"c\" {d} 'e' \\ %"
        const key = "ada, \"b\" {c} 'd' \\ % 🐦 é"
        const job = define(queue.config, () => "ran", { name, group: { key: byKey } })
        await queue.config.pause({ definition: name, key })
        // In another form of Unicode it is another key.
        await queue.config.pause({ definition: name, key: "paused".normalize("NFD") })
        queue.worker()
        const [id = 0, other = 0] = await job.deferMany([
            { payload: { key } },
            { payload: { key: key.normalize("NFD") } },
        ])
        await finalizedJob(queue, other)
        await othersGoOn(queue, job)
        expect(await queue.jobs()).toHaveLength(1)
        await queue.config.resume({ definition: name, key })
        await finalizedJob(queue, id)
    })

    it("may be made and ended where the definition is not known, and before it is written down", async () => {
        const queue = await makeQueue()
        await queue.config.pause(PAUSED)
        const elsewhere = queue.otherConfig()
        const job = define(elsewhere, () => "ran", { group: { key: byKey } })
        queue.worker({ config: elsewhere })
        const [id = 0] = await job.deferMany(BOTH)
        await othersGoOn(queue, job)
        expect(keysOf(await queue.jobs())).toEqual(["paused"])
        await queue.config.resume(PAUSED)
        await finalizedJob(queue, id)
    })

    it("is a pause of its own beside that of the definition", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => "ran", { group: { key: byKey } })
        await queue.config.pause(PAUSED)
        await queue.config.pause({ definition: "job" })
        const [paused = 0, open = 0] = await job.deferMany(BOTH)
        queue.worker()
        expect((await claimIn(queue)).keys).toEqual([])
        await queue.config.resume({ definition: "job" })
        await finalizedJob(queue, open)
        await othersGoOn(queue, job)
        expect(keysOf(await queue.jobs())).toEqual(["paused"])
        await queue.config.resume(PAUSED)
        await finalizedJob(queue, paused)
    })

    it("wakes workers of another process when it ends", async ({ skip }) => {
        skip(!hasSessions(), "PGlite has one session, and PgBouncer passes no notifications on")
        const queue = await makeQueue()
        const job = define(queue.config, () => "ran", { group: { key: byKey } })
        const elsewhere = queue.otherConfig()
        queue.worker({ processIntervalMs: 60_000 })
        await finalizedJob(queue, await job.defer({ payload: { key: "open" } }))
        // More than one: the worker looks around once when it begins to listen.
        for (let n = 0; n < 3; n++) {
            await elsewhere.pause(PAUSED)
            const [id = 0, open = 0] = await job.deferMany(BOTH)
            await finalizedJob(queue, open)
            await elsewhere.resume(PAUSED)
            await finalizedJob(queue, id)
        }
    })

    it("makes workers hand back what they had claimed ahead, of this key only", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        const jobFunction = ({ isGated }: AnyPayload) => (isGated ? gate.opened : undefined)
        const job = define(queue.config, jobFunction, { group: { key: byKey } })
        queue.worker({ processIntervalMs: 60_000, concurrency: 1 })
        // So that it knows how short they are.
        await finalizedJobs(queue, await job.deferMany(times(300, { key: "open" })))
        const ids = await job.deferMany([{ payload: { key: "open", isGated: true } }, ...BOTH])
        const states = async () => (await queue.jobs()).map(({ state }) => state)
        // Nothing is ready that a claim could still bring.
        await eventually(async () => (await states()).every((state) => state === "running"))
        await queue.config.pause(PAUSED)
        await eventually(async () => (await states())[1] === "ready")
        expect(await states()).toEqual(["running", "ready", "running"])
        gate.open()
        await finalizedJobs(
            queue,
            ids.filter((_, n) => n !== 1),
        )
        await queue.config.resume(PAUSED)
        for (const row of await finalizedJobs(queue, ids)) expect(row).toMatchObject({ attempt: 1 })
    })

    it("keeps the jobs of its definition from being taken for orphans", async () => {
        const queue = await makeQueue()
        const elsewhere = queue.otherConfig()
        const options = { group: { key: byKey } }
        const id = await define(elsewhere, () => "ran", options).defer({ payload: { key: "paused" } })
        await queue.config.pause(PAUSED)
        const usher = define(queue.config, () => undefined, { name: "usher" })
        await queue.sql.query(
            `update ${queue.schema}.job_definition set heartbeat_at = clock_timestamp() - interval '1 h'`,
        )
        const worker = queue.worker({ orphanGraceMs: 0 })
        for (let n = 0; n < 2; n++) await finalizedJob(queue, await usher.defer({ payload: {}, delayMs: 10 }))
        expect(await queue.jobs()).toEqual([expect.objectContaining({ state: "ready" })])
        worker.stop()
        await worker.join()
        await queue.config.resume(PAUSED)
        queue.worker({ config: elsewhere })
        expect(await finalizedJob(queue, id)).toMatchObject({ result: "ran" })
    })

    it("holds jobs back that were deferred without knowledge of the keys, once workers have found theirs", async () => {
        const queue = await makeQueue()
        const before = define(queue.otherConfig(), () => undefined)
        await queue.config.pause(PAUSED)
        await before.deferMany([...BOTH, ...BOTH])
        const job = define(queue.config, () => "ran", { group: { key: byKey } })
        queue.worker({ processIntervalMs: 50 })
        await finalized(queue, 2)
        await othersGoOn(queue, job)
        expect(keysOf(await queue.jobs())).toEqual(["paused", "paused"])
    })
})

describe("a pause of a key, asked for wrongly,", () => {
    const NOT_KEYS = ["", "a\u0000b", "a\nb", "\ud800", "a".repeat(256), 5, null, undefined, {}, ["a"], true]

    it("is refused, and nothing is sent", async () => {
        const { config } = await makeQueue({ isPrepared: false })
        for (const key of NOT_KEYS) {
            const target = { definition: "job", key } as never
            for (const ask of [() => config.pause(target), () => config.resume(target)])
                await expect(ask(), String(key)).rejects.toMatchObject({
                    code: "CUCKMQ_INVALID_OPTION",
                    option: "key",
                })
        }
        for (const target of [{ key: "a" }, { channel: "c", key: "a" }, { everything: true, key: "a" }])
            await expect(config.pause(target as never)).rejects.toMatchObject({
                option: "target",
                message: expect.stringContaining("`key`"),
            })
        for (const definition of ["", " ", "a\u0000", 5, null])
            await expect(config.pause({ definition, key: "a" } as never)).rejects.toMatchObject({
                option: "definition",
            })
    })

    it("is refused for a definition that is known to have no keys; what is paused can be resumed all the same", async () => {
        const queue = await makeQueue()
        define(queue.config, () => undefined)
        define(queue.config, () => undefined, { name: "keyless", concurrencyLimit: { max: 1 } })
        for (const definition of ["job", "keyless"]) {
            const refusal = queue.config.pause({ definition, key: "a" })
            await expect(refusal).rejects.toThrow(InvalidOptionError)
            await expect(refusal).rejects.toMatchObject({
                option: "key",
                message: expect.stringContaining("has no keys"),
            })
            await queue.otherConfig().pause({ definition, key: "a" })
            expect(await queue.config.resume({ definition, key: "a" })).toBe(true)
        }
    })
})
