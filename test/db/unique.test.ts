import { describe, expect, it } from "vitest"
import type { DeferOptions, JobDefinition } from "../../src/index.ts"
import { type AnyPayload, define } from "../support/define.ts"
import { finalizedJob, finalizedJobs, rowID } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { inTransaction } from "../support/transaction.ts"
import { eventually, makeQueue, type Queue } from "../support/with-schema.ts"

type Unique = NonNullable<DeferOptions<AnyPayload>["unique"]>

const HOUR_MS = 3_600_000

function defineUnique(queue: Queue, unique: Partial<Unique> = {}) {
    const gate = makeGate()
    const runs: AnyPayload[] = []
    const job = define(
        queue.config,
        async (payload) => {
            runs.push(payload)
            if (payload.waits === true) await gate.opened
            if (payload.fails === true && runs.length === 1) throw new Error("fails")
            return "ran"
        },
        { numAttempts: 1, unique: { key: ({ of }) => String(of), ...unique } },
    )
    return { job, gate, runs }
}

/** Brings a job to where it is to be when another of its key comes. */
async function startRunning(queue: Queue, job: JobDefinition<AnyPayload, unknown>): Promise<number> {
    const id = await job.defer({ payload: { of: "a", waits: true } })
    queue.worker()
    await eventually(async () => (await queue.jobs())[0]?.state === "running")
    return id
}

describe("a job whose key another one has", () => {
    it("is not deferred: the other stands, unchanged", async () => {
        const queue = await makeQueue()
        const { job } = defineUnique(queue)
        const first = await job.deferDetailed({ payload: { of: "a", n: 1 } })
        const second = await job.deferDetailed({ payload: { of: "a", n: 2 }, delayMs: HOUR_MS })
        expect(first).toEqual({ id: first.id, outcome: "inserted" })
        expect(second).toEqual({ id: first.id, outcome: "kept" })
        expect(await job.defer({ payload: { of: "a", n: 3 } })).toBe(first.id)
        expect(await queue.jobs()).toMatchObject([{ payload: { of: "a", n: 1 }, state: "ready", token: 0 }])
    })

    it("is deferred when its key, or its definition, is another", async () => {
        const queue = await makeQueue()
        const { job } = defineUnique(queue)
        const other = define(queue.config, () => undefined, { name: "other", unique: { key: "a" } })
        await job.defer({ payload: { of: "a" } })
        const outcomes = [
            await job.deferDetailed({ payload: { of: "b" } }),
            await job.deferDetailed({ payload: { of: "A" } }),
            await other.deferDetailed({ payload: {} }),
        ].map(({ outcome }) => outcome)
        expect(outcomes).toEqual(["inserted", "inserted", "inserted"])
        expect(await queue.jobs()).toHaveLength(4)
    })

    it("replaces the payload of the other, which keeps its place and its time", async () => {
        const queue = await makeQueue()
        const { job } = defineUnique(queue, { onConflict: "replace" })
        const { id } = await job.deferDetailed({ payload: { of: "a", n: 1 }, delayMs: HOUR_MS })
        const [before] = await queue.jobs()
        expect(await job.deferDetailed({ payload: { of: "a", n: 2 } })).toEqual({ id, outcome: "replaced" })
        expect(await queue.jobs()).toEqual([{ ...before, payload: { of: "a", n: 2 } }])
    })

    it("postpones the other, which gets its payload", async () => {
        const queue = await makeQueue()
        const { job, runs } = defineUnique(queue, { onConflict: "postpone" })
        const { id } = await job.deferDetailed({ payload: { of: "a", n: 1 }, delayMs: HOUR_MS })
        const [before] = await queue.jobs()
        const later = { payload: { of: "a", n: 2 }, delayMs: 2 * HOUR_MS }
        expect(await job.deferDetailed(later)).toEqual({ id, outcome: "postponed" })
        const [after] = await queue.jobs()
        expect(Number(after?.due_at) - Number(before?.due_at)).toBeGreaterThanOrEqual(HOUR_MS)
        expect(Number(after?.expires_at) - Number(before?.expires_at)).toBeGreaterThanOrEqual(HOUR_MS)
        expect(after).toMatchObject({ state: "delayed", created_at: before?.created_at })
        // It may be due earlier as well.
        expect(await job.deferDetailed({ payload: { of: "a", n: 3 } })).toEqual({ id, outcome: "postponed" })
        queue.worker()
        await finalizedJob(queue, id)
        expect(runs).toEqual([{ of: "a", n: 3 }])
    })

    it("postpones the other no further than `maxWaitMs` from its first deferral", async () => {
        const queue = await makeQueue()
        const { job } = defineUnique(queue, { onConflict: "postpone", maxWaitMs: HOUR_MS })
        const deferral = { payload: { of: "a" }, delayMs: HOUR_MS - 1 }
        await job.deferMany([deferral, deferral])
        await eventually(async () => {
            await job.defer(deferral)
            const [row] = await queue.jobs()
            return Number(row?.due_at) - Number(row?.created_at) === HOUR_MS
        })
        await job.defer(deferral)
        const [row] = await queue.jobs()
        expect(Number(row?.due_at) - Number(row?.created_at)).toBe(HOUR_MS)
    })

    it("changes nothing when a worker has taken the other, whether it runs or waits for another attempt", async () => {
        const queue = await makeQueue()
        const { job, gate } = defineUnique(queue, { onConflict: "replace" })
        const id = await startRunning(queue, job)
        const [running] = await queue.jobs()
        for (const onConflict of ["keep", "replace", "postpone"] as const) {
            const deferral = { payload: { of: "a", n: 2 }, unique: { onConflict } }
            expect(await job.deferDetailed(deferral)).toEqual({ id, outcome: "kept" })
        }
        expect(await queue.jobs()).toEqual([running])
        gate.open()
        await finalizedJob(queue, id)
    })

    it("gives the other the lane of its payload, where the definition has a limit", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined, {
            unique: { key: "only", onConflict: "replace" },
            concurrencyLimit: { max: 1, key: ({ tenant }) => String(tenant) },
        })
        const lanes: unknown[] = []
        for (const tenant of ["ada", "grace"]) {
            await job.defer({ payload: { tenant } })
            lanes.push(...(await queue.jobs()).map(({ lane }) => String(lane).replaceAll("\u001f", "")))
        }
        expect(lanes).toEqual(["ada", "grace"])
    })

    it("keeps what the other waits for", async () => {
        const queue = await makeQueue()
        const { job, runs } = defineUnique(queue)
        const required = await job.defer({ payload: { of: "required" } })
        const { id } = await job.deferDetailed({ payload: { of: "a", n: 1 }, dependencies: [required] })
        for (const onConflict of ["replace", "postpone"] as const)
            await job.defer({ payload: { of: "a", n: onConflict }, unique: { onConflict } })
        expect(await queue.jobs()).toMatchObject([{}, { id: rowID(id), state: "blocked", num_blockers: 1 }])
        queue.worker()
        await finalizedJobs(queue, [required, id])
        expect(runs).toEqual([{ of: "required" }, { of: "a", n: "postpone" }])
    })

    it("needs none of its own dependencies when the other is kept", async () => {
        const queue = await makeQueue()
        const { job } = defineUnique(queue)
        const id = await job.defer({ payload: { of: "a" } })
        const missing = { payload: { of: "a" }, dependencies: [2 ** 40] }
        expect(await job.deferDetailed(missing)).toEqual({ id, outcome: "kept" })
        const isDependent = { payload: { of: "b" }, dependencies: [id] }
        expect(await job.deferDetailed(isDependent)).toMatchObject({ outcome: "inserted" })
        expect(await queue.jobs()).toMatchObject([{ has_dependents: true }, { state: "blocked" }])
    })

    it("may change a job and depend on it in one call", async () => {
        for (const onConflict of ["replace", "postpone"] as const) {
            const queue = await makeQueue()
            const { job, runs } = defineUnique(queue)
            const first = await job.defer({ payload: { of: "a" } })
            const deferrals = await job.deferManyDetailed([
                { payload: { of: "b" }, dependencies: [first] },
                { payload: { of: "a", n: 2 }, unique: { onConflict } },
            ])
            expect(deferrals).toMatchObject([{ outcome: "inserted" }, { id: first }])
            queue.worker()
            await finalizedJobs(queue, [first, deferrals[0]?.id ?? 0])
            expect(runs).toEqual([{ of: "a", n: 2 }, { of: "b" }])
        }
    })
})

describe("a key is had", () => {
    it("until the job is finalized, however that ends, unless told otherwise", async () => {
        const queue = await makeQueue()
        const { job, runs } = defineUnique(queue)
        const first = await job.defer({ payload: { of: "a", fails: true } })
        queue.worker()
        expect(await finalizedJob(queue, first)).toMatchObject({ outcome: "succeeded", attempt: 2 })
        const second = await job.deferDetailed({ payload: { of: "a" } })
        expect(second.outcome).toBe("inserted")
        await finalizedJob(queue, second.id)
        expect(runs).toHaveLength(3)
    })

    it("until a worker takes the job for the first time, while `queued`, and never again", async () => {
        const queue = await makeQueue()
        const { job, gate } = defineUnique(queue, { while: "queued" })
        const first = await startRunning(queue, job)
        const second = await job.deferDetailed({ payload: { of: "a" } })
        expect(second.outcome).toBe("inserted")
        expect(await job.deferDetailed({ payload: { of: "a" } })).toEqual({ ...second, outcome: "kept" })
        gate.open()
        await finalizedJobs(queue, [first, second.id])
    })

    it("by the job that was deferred last, when an earlier one waits for another attempt", async () => {
        const queue = await makeQueue()
        const { job } = defineUnique(queue, { while: "queued", onConflict: "replace" })
        await job.defer({ payload: { of: "a" } })
        // As `retry-jobs`, `snooze-jobs` and `return-jobs` leave a job.
        await queue.sql.query(`update ${queue.schema}.job set token = 1, claimed_at = clock_timestamp()`)
        const second = await job.deferDetailed({ payload: { of: "a" } })
        expect(second.outcome).toBe("inserted")
        expect(await job.deferDetailed({ payload: { of: "a" } })).toEqual({ ...second, outcome: "replaced" })
    })

    it("for a time from when the job was deferred, whatever becomes of it", async () => {
        const queue = await makeQueue()
        const { job } = defineUnique(queue, { while: { forMs: HOUR_MS } })
        const { id } = await job.deferDetailed({ payload: { of: "a" } })
        const changing = { payload: { of: "a", n: 2 }, unique: { onConflict: "replace" } } as const
        expect(await job.deferDetailed(changing)).toEqual({ id, outcome: "replaced" })
        queue.worker()
        await finalizedJob(queue, id)
        expect(await job.deferDetailed({ payload: { of: "a" } })).toEqual({ id, outcome: "kept" })
        expect(await job.deferDetailed(changing)).toEqual({ id, outcome: "kept" })
        await queue.sql.query(`update ${queue.schema}.unique_key set held_until = clock_timestamp()`)
        expect(await job.deferDetailed({ payload: { of: "a" } })).toMatchObject({ outcome: "inserted" })
    })

    it("no more when the job was cancelled, or is doomed otherwise", async () => {
        const queue = await makeQueue()
        const { job } = defineUnique(queue, { onConflict: "replace" })
        for (const hold of ["queued", "unfinalized"] as const) {
            const deferral = { payload: { of: hold }, unique: { while: hold } }
            const { id } = await job.deferDetailed(deferral)
            await inTransaction(queue, async (client) => {
                await queue.config.jobs.cancel(id, { client })
                expect(await job.deferDetailed({ ...deferral, client })).toMatchObject({
                    outcome: "inserted",
                })
            })
            await queue.sql.query(`update ${queue.schema}.job set state = 'unmet'`)
            expect(await job.deferDetailed(deferral)).toMatchObject({ outcome: "inserted" })
        }
    })

    it("in the way that the job that has it was deferred with", async () => {
        const queue = await makeQueue()
        const { job, gate } = defineUnique(queue)
        const first = await startRunning(queue, job)
        const queued = { payload: { of: "a" }, unique: { while: "queued" } } as const
        expect(await job.deferDetailed(queued)).toEqual({ id: first, outcome: "kept" })
        gate.open()
        await finalizedJob(queue, first)
    })
})

describe("the options of a single job", () => {
    it("stand before those of its definition, each by itself", async () => {
        const queue = await makeQueue()
        const { job } = defineUnique(queue, { while: "queued", onConflict: "postpone", maxWaitMs: HOUR_MS })
        const first = await job.deferDetailed({ payload: { of: "a" }, unique: { key: "b" } })
        const byFunction = { key: (payload: AnyPayload) => String(payload.other) }
        const outcomes = [
            await job.deferDetailed({ payload: { of: "b" } }),
            await job.deferDetailed({ payload: { other: "b" }, unique: byFunction }),
            await job.deferDetailed({ payload: { of: "b" }, unique: { onConflict: "keep" } }),
        ]
        expect(outcomes).toEqual([
            { id: first.id, outcome: "postponed" },
            { id: first.id, outcome: "postponed" },
            { id: first.id, outcome: "kept" },
        ])
        expect(await job.deferDetailed({ payload: { of: "b" }, unique: null })).toMatchObject({
            outcome: "inserted",
        })
    })

    it("are enough where the definition has none", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        const deferral = { payload: {}, unique: { key: " 'ünï' \\ \"🦆" } }
        const first = await job.deferDetailed(deferral)
        expect(await job.deferDetailed(deferral)).toEqual({ id: first.id, outcome: "kept" })
        expect(await job.deferDetailed({ payload: {} })).toMatchObject({ outcome: "inserted" })
    })

    it("are refused by name when they are wrong, and nothing is deferred", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined)
        const key = "a"
        const wrong: [option: string, deferral: object][] = [
            ["unique", { unique: "a" }],
            ["unique.key", { unique: {} }],
            ["unique.key", { unique: { key: "" } }],
            ["unique.key", { unique: { key: 5 } }],
            ["unique.key", { unique: { key: "a".repeat(256) } }],
            ["unique.key", { unique: { key: "a\u0000" } }],
            ["unique.while", { unique: { key, while: "running" } }],
            ["unique.while.forMs", { unique: { key, while: {} } }],
            ["unique.while.forMs", { unique: { key, while: { forMs: 0 } } }],
            ["unique.onConflict", { unique: { key, onConflict: "drop" } }],
            ["unique.maxWaitMs", { unique: { key, maxWaitMs: 5 } }],
            ["unique.maxWaitMs", { unique: { key, onConflict: "postpone", maxWaitMs: 0 } }],
            ["unique.maxWaitMs", { unique: { key, onConflict: "postpone", maxWaitMs: 5 }, delayMs: 6 }],
            [
                "unique.maxWaitMs",
                { unique: { key, onConflict: "postpone", maxWaitMs: 5 }, runAt: new Date() },
            ],
            ["dependencies", { unique: { key, onConflict: "replace" }, dependencies: [1] }],
            ["unique.keys", { unique: { keys: "a" } }],
        ]
        for (const [option, deferral] of wrong) {
            const refused = { code: "CUCKMQ_INVALID_OPTION", option }
            const options = { payload: {}, ...deferral } as never
            await expect(job.deferDetailed(options)).rejects.toMatchObject(refused)
            await expect(job.deferManyDetailed([options])).rejects.toMatchObject(refused)
        }
        expect(await queue.jobs()).toEqual([])
    })
})

describe("a key function that throws, or returns no key,", () => {
    it.each<[string, () => unknown]>([
        ["nothing", () => undefined],
        ["an empty text", () => ""],
        ["a NUL character", () => "a\u0000"],
        ["a record separator", () => "a\u001e"],
        [
            "an error",
            () => {
                throw new Error("no key")
            },
        ],
    ])("refuses the payload: %s", async (_name, key) => {
        const queue = await makeQueue({ isPrepared: false })
        const job = define(queue.config, () => undefined, { unique: { key: key as () => string } })
        await expect(job.defer({ payload: {} })).rejects.toMatchObject({
            code: "CUCKMQ_INVALID_PAYLOAD",
            path: "payload",
            message: expect.stringContaining("`unique.key`"),
        })
    })
})

describe("many jobs of some keys at once", () => {
    const times = (num: number) => Array.from({ length: num }, (_, n) => n)

    it("are deferred in their order, as one after the other", async () => {
        const queue = await makeQueue()
        const { job } = defineUnique(queue, { onConflict: "replace" })
        const [a, b, plain, a2, a3, a4] = await job.deferManyDetailed([
            { payload: { of: "a", n: 1 }, delayMs: HOUR_MS },
            { payload: { of: "b", n: 2 } },
            { payload: { of: "a", n: 3 }, unique: null },
            { payload: { of: "a", n: 4 } },
            { payload: { of: "a", n: 5 }, unique: { onConflict: "postpone" } },
            { payload: { of: "a", n: 6 }, unique: { onConflict: "keep" } },
        ])
        expect([a, b, plain].map((deferral) => deferral?.outcome)).toEqual([
            "inserted",
            "inserted",
            "inserted",
        ])
        expect([a2, a3, a4]).toEqual([
            { id: a?.id, outcome: "replaced" },
            { id: a?.id, outcome: "postponed" },
            { id: a?.id, outcome: "kept" },
        ])
        expect(await queue.jobs()).toMatchObject([
            { id: rowID(a?.id ?? 0), payload: { n: 5 }, state: "ready" },
            { id: rowID(b?.id ?? 0), payload: { n: 2 } },
            { id: rowID(plain?.id ?? 0), payload: { n: 3 } },
        ])
    })

    it("meet jobs that stand, across statements", async () => {
        const queue = await makeQueue()
        const { job } = defineUnique(queue)
        const stands = await job.defer({ payload: { of: 7 } })
        const ids = await job.deferMany(times(12_000).map((n) => ({ payload: { of: n % 6_000 } })))
        expect(ids[7]).toBe(stands)
        expect(ids.slice(6_000)).toEqual(ids.slice(0, 6_000))
        const rest = ids.slice(0, 6_000).filter((id) => id !== stands)
        expect(rest).toEqual([...rest].sort((x, y) => x - y))
        expect(await queue.jobs()).toHaveLength(6_000)
    })

    it("make one job of each key, whoever defers them", async () => {
        const queue = await makeQueue()
        const callers = [queue.config, queue.otherConfig(), queue.otherConfig(), queue.otherConfig()]
        const jobs = callers.map((config) =>
            define(config, () => undefined, { unique: { key: ({ of }) => String(of) } }),
        )
        const deferrals = await Promise.all(
            times(400).map((n) => jobs[n % 4]?.deferDetailed({ payload: { of: Math.floor(n / 100), n } })),
        )
        expect(deferrals.filter((deferral) => deferral?.outcome === "inserted")).toHaveLength(4)
        const rows = await queue.jobs()
        expect(rows).toHaveLength(4)
        for (const [n, deferral] of deferrals.entries()) {
            const row = rows.find(({ id }) => Number(id) === deferral?.id)
            expect(row?.payload).toMatchObject({ of: Math.floor(n / 100) })
        }
    })

    it("make one live job of a key at any time while they are run", async () => {
        const queue = await makeQueue()
        let numRunning = 0
        let mostRunning = 0
        const callers = [queue.config, queue.otherConfig(), queue.otherConfig()]
        const jobs = callers.map((config) =>
            define(
                config,
                async () => {
                    mostRunning = Math.max(mostRunning, ++numRunning)
                    await new Promise(setImmediate)
                    numRunning--
                },
                { unique: { key: "only" } },
            ),
        )
        queue.worker({ concurrency: 10 })
        const inserted = new Set<number>()
        await Promise.all(
            jobs.map(async (job) => {
                for (let n = 0; n < 60; n++) {
                    const { id, outcome } = await job.deferDetailed({ payload: {} })
                    if (outcome === "inserted") expect(inserted.has(id)).toBe(false)
                    if (outcome === "inserted") inserted.add(id)
                }
            }),
        )
        await finalizedJobs(queue, [...inserted])
        expect(await queue.history()).toHaveLength(inserted.size)
        expect(mostRunning).toBe(1)
    })
})

describe("a job with a key that is deferred in a transaction", () => {
    it("frees the key when that is rolled back", async () => {
        const queue = await makeQueue()
        const { job } = defineUnique(queue)
        const rolledBack = inTransaction(queue, async (client) => {
            const first = await job.deferDetailed({ payload: { of: "a" }, client })
            expect(await job.deferDetailed({ payload: { of: "a" }, client })).toEqual({
                id: first.id,
                outcome: "kept",
            })
            throw new Error("rolled back")
        })
        await expect(rolledBack).rejects.toThrow("rolled back")
        expect(await job.deferDetailed({ payload: { of: "a" } })).toMatchObject({ outcome: "inserted" })
    })

    it("frees the key when that goes back to a savepoint, and the transaction goes on", async () => {
        const queue = await makeQueue()
        const { job } = defineUnique(queue)
        const id = await job.defer({ payload: { of: "b", n: 1 } })
        await inTransaction(queue, async (client) => {
            await client.query("savepoint mine")
            await job.deferMany([{ payload: { of: "a" } }], { client })
            await job.deferMany(
                [{ payload: { of: "b", n: 2 }, unique: { onConflict: "replace" } }, { payload: { of: "c" } }],
                { client },
            )
            await client.query("rollback to savepoint mine")
            expect(await job.deferDetailed({ payload: { of: "a" }, client })).toMatchObject({
                outcome: "inserted",
            })
        })
        expect(await queue.jobs()).toMatchObject([
            { id: rowID(id), payload: { of: "b", n: 1 } },
            { payload: { of: "a" } },
        ])
    })

    it("is not there, and has no key, when a dependency is missing", async () => {
        const queue = await makeQueue()
        const { job } = defineUnique(queue, { while: { forMs: HOUR_MS } })
        await inTransaction(queue, async (client) => {
            const jobs = [{ payload: { of: "a" } }, { payload: { of: "b" }, dependencies: [2 ** 40] }]
            await expect(job.deferMany(jobs, { client })).rejects.toThrow("to depend on")
            expect(await job.deferDetailed({ payload: { of: "a" }, client })).toMatchObject({
                outcome: "inserted",
            })
        })
        expect(await queue.jobs()).toHaveLength(1)
    })
})
