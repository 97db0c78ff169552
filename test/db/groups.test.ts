import { describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import type { JobGroup } from "../../src/index.ts"
import { type AnyPayload, define } from "../support/define.ts"
import { finalized } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { claimIn, makeCensus, times } from "../support/gated.ts"
import { eventually, hasServer, makeQueue } from "../support/with-schema.ts"

const byKey = (payload: AnyPayload) => String(payload.key)
const GROUP: JobGroup<AnyPayload> = { key: byKey }
const ORDERED: JobGroup<AnyPayload> = { key: byKey, ordered: true }

/** Jobs of a group, numbered. */
const numbered = (key: string, num: number) =>
    Array.from({ length: num }, (_, n) => ({ payload: { key, n: n + 1 } }))

describe("groups", () => {
    it("take turns, so that a small one does not wait for a large one", async () => {
        const queue = await makeQueue()
        const started: string[] = []
        const job = define(queue.config, (payload) => void started.push(byKey(payload)), { group: GROUP })
        await job.deferMany([...times(500, { key: "large" }), ...times(10, { key: "small" })])
        queue.worker({ concurrency: 4 })
        await finalized(queue, 510)
        expect(started.lastIndexOf("small")).toBeLessThan(40)
    })

    it("start their jobs in the order in which they became ready", async () => {
        const queue = await makeQueue()
        const started: unknown[] = []
        const job = define(queue.config, (payload) => void started.push(payload.n), { group: GROUP })
        await job.deferMany(numbered("a", 30))
        queue.worker({ concurrency: 1 })
        await finalized(queue, 30)
        expect(started).toEqual(Array.from({ length: 30 }, (_, n) => n + 1))
    })

    it("run side by side without limits, and several jobs of one", async () => {
        const queue = await makeQueue()
        const census = makeCensus()
        const job = define(queue.config, (payload) => census.visit(payload, 20), { group: GROUP })
        await job.deferMany([...times(8, { key: "a" }), ...times(8, { key: "b" })])
        queue.worker({ concurrency: 8 })
        await finalized(queue, 16)
        expect(Object.fromEntries(census.most)).toEqual({ a: 4, b: 4 })
    })

    it("go together with limits of other keys", async () => {
        const queue = await makeQueue()
        const census = makeCensus()
        const job = define(queue.config, ({ part }) => census.visit({ key: part }), {
            group: GROUP,
            concurrencyLimit: { max: 2, key: (payload) => String(payload.part) },
            rateLimit: { max: 1_000, perMs: 1 },
        })
        await job.deferMany(
            ["a", "b", "c"].flatMap((key) => [
                ...times(10, { key, part: "x" }),
                ...times(5, { key, part: key }),
            ]),
        )
        queue.worker({ concurrency: 10 })
        queue.worker({ concurrency: 10 })
        await finalized(queue, 45)
        expect(Math.max(...census.most.values())).toBe(2)
    })
})

describe("a claim of groups", () => {
    it("takes from as many groups as it may, and its share of each where they are fewer", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined, { group: GROUP })
        await job.deferMany(["a", "b", "c", "d", "e"].flatMap((key) => numbered(key, 4)))
        const first = await claimIn(queue, { limit: 3 })
        expect(first).toMatchObject({ keys: ["a", "b", "c"], hasMore: false })
        const second = await claimIn(queue, { limit: 3, afterLane: first.afterLane ?? "" })
        expect(second).toMatchObject({ afterLane: "", hasMore: true })
        expect([...second.keys].sort()).toEqual(["d", "d", "e"])
        expect([...(await claimIn(queue, { limit: 10 })).keys].sort().join("")).toBe("aabbccddee")
        expect([...(await claimIn(queue, { limit: 10 })).keys].sort().join("")).toBe("abce")
    })

    it.skipIf(!hasServer())(
        "passes over what another one has, and takes the group's next with the next claim",
        async () => {
            const queue = await makeQueue()
            const job = define(queue.config, () => undefined, { group: GROUP })
            await job.deferMany(["a", "b"].flatMap((key) => numbered(key, 2)))
            await coreOf(queue.otherConfig()).database.transaction(async (run) => {
                expect((await claimIn(queue, { run, limit: 1 })).keys).toEqual(["a"])
                expect((await claimIn(queue, { limit: 2 })).keys).toEqual(["b"])
                expect((await claimIn(queue, { limit: 4 })).jobs.map(({ payload }) => payload)).toEqual([
                    '{"key":"a","n":2}',
                    '{"key":"b","n":2}',
                ])
            })
        },
    )

    it("takes the smaller priority of a group first", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined, { group: GROUP })
        await job.deferMany(numbered("a", 2))
        await job.defer({ payload: { key: "a", n: 0 }, priority: -1 })
        const [{ payload } = { payload: "" }] = (await claimIn(queue, { limit: 1 })).jobs
        expect(payload).toBe('{"key":"a","n":0}')
    })

    it("takes nothing under a lease that was revoked", async () => {
        const queue = await makeQueue()
        await define(queue.config, () => undefined, { group: GROUP }).defer({ payload: { key: "a" } })
        const change = (text: string) => text.replace("revoked_by is null", "revoked_by is not null")
        expect((await claimIn(queue, { change })).jobs).toEqual([])
        expect((await claimIn(queue)).jobs).toHaveLength(1)
    })
})

describe("ordered groups", () => {
    it("run one job at a time, in order, retries included, over several workers and Configs", async () => {
        const queue = await makeQueue()
        const census = makeCensus()
        const runs = new Map<string, number[]>()
        const jobFunction = async (payload: AnyPayload, { attempt }: { attempt: number }) => {
            runs.set(byKey(payload), [...(runs.get(byKey(payload)) ?? []), Number(payload.n)])
            await census.visit(payload)
            if (attempt === 1 && Number(payload.n) % 3 === 0) throw new Error("again")
        }
        const options = { group: ORDERED, numAttempts: 1, retryDelayMs: 5 }
        const job = define(queue.config, jobFunction, options)
        const other = queue.otherConfig()
        define(other, jobFunction, options)
        const keys = ["a", "b", "c"]
        await job.deferMany(keys.flatMap((key) => numbered(key, 10)))
        for (const config of [queue.config, other, other]) queue.worker({ config, concurrency: 4 })
        await finalized(queue, 30)
        const expected = [1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9, 9, 10]
        expect(Object.fromEntries(runs)).toEqual({ a: expected, b: expected, c: expected })
        expect(Object.fromEntries(census.most)).toEqual({ a: 1, b: 1, c: 1 })
    })

    it("wait for a job that is put off or waits for its next attempt, and no other group does", async () => {
        const queue = await makeQueue()
        const started: string[] = []
        let isEnough = false
        const job = define(
            queue.config,
            ({ key, n }, context) => {
                started.push(`${key}${n}`)
                if (key === "a" && !isEnough) return context.snooze(10)
                if (key === "b" && context.attempt === 1) throw new Error("again")
                return undefined
            },
            { group: ORDERED, numAttempts: 1, retryDelayMs: 3_600_000 },
        )
        await job.deferMany(["a", "b", "c"].flatMap((key) => numbered(key, 2)))
        queue.worker({ concurrency: 4 })
        await finalized(queue, 2)
        await eventually(() => started.filter((name) => name === "a1").length > 2)
        expect(new Set(started)).toEqual(new Set(["a1", "b1", "c1", "c2"]))
        isEnough = true
        await finalized(queue, 4)
        expect(started.at(-1)).toBe("a2")
    })

    it("begin again with the job that was taken back from a worker that went silent", async () => {
        const queue = await makeQueue()
        const started: unknown[] = []
        const job = define(queue.config, ({ n }) => void started.push(n), { group: ORDERED, numAttempts: 1 })
        await job.deferMany(numbered("a", 3))
        expect((await claimIn(queue)).jobs).toHaveLength(1)
        expect((await claimIn(queue)).jobs).toHaveLength(0)
        await queue.sql.query(`update ${queue.schema}.lease set expires_at = now() - interval '1 second'`)
        queue.worker({ concurrency: 3 })
        await finalized(queue, 3)
        expect(started).toEqual([1, 2, 3])
    })

    it("go on when a job has failed for good", async () => {
        const queue = await makeQueue()
        const job = define(
            queue.config,
            ({ n }) => {
                if (n === 1) throw new Error("no")
            },
            { group: ORDERED },
        )
        await job.deferMany(numbered("a", 2))
        queue.worker({ processIntervalMs: 60_000 })
        expect((await finalized(queue, 2)).map(({ outcome }) => outcome)).toEqual(["failed", "succeeded"])
    })

    it("do not wait for jobs that are delayed and never began", async () => {
        const queue = await makeQueue()
        const job = define(queue.config, () => undefined, { group: ORDERED })
        await job.defer({ payload: { key: "a" }, delayMs: 3_600_000 })
        await job.deferMany(times(3, { key: "a" }))
        queue.worker()
        await finalized(queue, 3)
    })

    it("refuse a priority, which would take a job out of the order", async () => {
        const queue = await makeQueue()
        const refused = { code: "CUCKMQ_INVALID_OPTION", option: "priority" }
        const job = define(queue.config, () => undefined, { group: ORDERED })
        await expect(job.defer({ payload: { key: "a" }, priority: 1 })).rejects.toMatchObject(refused)
        const make = () => define(queue.config, () => undefined, { name: "p", group: ORDERED, priority: 1 })
        expect(make).toThrow(expect.objectContaining(refused))
    })

    it("run one job at a time although their jobs have other keys as well", async () => {
        const queue = await makeQueue()
        const census = makeCensus()
        const gate = makeGate()
        const job = define(
            queue.config,
            async (payload) => {
                await census.visit(payload)
                gate.open()
            },
            { group: ORDERED, concurrencyLimit: { max: 5, key: (payload) => `p${Number(payload.n) % 3}` } },
        )
        await job.deferMany(numbered("a", 12))
        queue.worker({ concurrency: 5 })
        queue.worker({ concurrency: 5 })
        await gate.opened
        await finalized(queue, 12)
        expect(census.most.get("a")).toBe(1)
    })
})

describe("a worker that knows of a group only", () => {
    it("lets what has the key of a limit count for those that know it", async () => {
        const queue = await makeQueue()
        const limited = { group: GROUP, concurrencyLimit: { max: 1, key: byKey } }
        await define(queue.config, () => undefined, limited).deferMany(numbered("a", 2))
        const before = { ...queue, config: queue.otherConfig() }
        define(before.config, () => undefined, { group: GROUP })
        expect((await claimIn(before, { limit: 1 })).jobs).toHaveLength(1)
        expect((await claimIn(queue)).jobs).toEqual([])
    })
})
