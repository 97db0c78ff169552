import { describe, expect, it } from "vitest"
import { JobDefinition } from "../../src/index.ts"
import { finalizedJob } from "../support/finalized.ts"
import { eventually, makeQueue, type Queue } from "../support/with-schema.ts"

function makeEcho(queue: Queue) {
    const echo = new JobDefinition({
        config: queue.config,
        name: "echo",
        jobFunction: (payload: object) => payload,
    })
    echo.register()
    return echo
}

const numbered = (num: number) => Array.from({ length: num }, (_, i) => ({ payload: { i } }))

describe("defer", () => {
    it("runs the job with its payload and keeps the result in history", async () => {
        const queue = await makeQueue()
        const add = new JobDefinition({
            config: queue.config,
            name: "add",
            jobFunction: async (payload: { a: number; b: number }) => ({ sum: payload.a + payload.b }),
        })
        add.register()
        queue.worker()
        const id = await add.defer({ payload: { a: 1, b: 2 } })
        const [row] = await eventually(async () => (await queue.history()).length > 0 && queue.history())
        expect(row).toMatchObject({
            id: expect.anything(),
            outcome: "succeeded",
            attempt: 1,
            result: { sum: 3 },
        })
        expect(Number(row?.id)).toBe(id)
        expect(await queue.jobs()).toEqual([])
    })

    it("hands the job function what it was given, whatever JSON can carry", async () => {
        const queue = await makeQueue()
        const seen: object[] = []
        const keep = new JobDefinition({
            config: queue.config,
            name: "keep",
            jobFunction: (payload: object) => void seen.push(payload),
        })
        keep.register()
        queue.worker()
        const payloads: object[] = [
            {},
            [],
            [[null, true, 0, -1.5e-300, 1e308, 9_007_199_254_740_991, "", []]],
            { "": "empty key", "quote\"'\\": "\u001e\u0001\n\t\u2028", emoji: "👩‍👩‍👧 é \ufffd", $1: "{}" },
            { deep: { deep: { deep: { deep: [{ deep: { z: 1, a: 2, "1": 3 } }] } } } },
            { long: "x".repeat(200_000) },
            { constructor: "c", toString: "t", hasOwnProperty: null },
        ]
        for (const payload of payloads) await finalizedJob(queue, await keep.defer({ payload }))
        expect(seen).toEqual(payloads)
        expect(seen.map((payload) => JSON.stringify(payload))).toEqual(payloads.map((p) => JSON.stringify(p)))
    })

    it("reads the payload when it is called, not later", async () => {
        const queue = await makeQueue()
        const echo = makeEcho(queue)
        const payload = { step: 1 }
        const deferring = echo.defer({ payload })
        payload.step = 2
        await deferring
        expect(await queue.jobs()).toMatchObject([{ payload: { step: 1 } }])
    })

    it("returns ids that are numbers and grow", async () => {
        const queue = await makeQueue()
        const echo = makeEcho(queue)
        const ids = [
            await echo.defer({ payload: {} }),
            await echo.defer({ payload: {} }),
            await echo.defer({ payload: {}, delayMs: 5 }),
        ]
        expect(ids.every((id) => Number.isSafeInteger(id))).toBe(true)
        expect([...ids].sort((a, b) => a - b)).toEqual(ids)
        expect(new Set(ids).size).toBe(3)
    })

    it("gives each of 500 concurrent callers the id of its own job", async () => {
        const queue = await makeQueue()
        const echo = makeEcho(queue)
        const ids = await Promise.all(numbered(500).map((job) => echo.defer(job)))
        expect(new Set(ids).size).toBe(500)
        const payloads = new Map((await queue.jobs()).map((row) => [Number(row.id), row.payload]))
        expect(ids.map((id) => payloads.get(id))).toEqual(numbered(500).map(({ payload }) => payload))
    })

    it("takes concurrent jobs of many definitions, delayed and not", async () => {
        const queue = await makeQueue()
        const definitions = Array.from(
            { length: 5 },
            (_, i) =>
                new JobDefinition({
                    config: queue.config,
                    name: `definition ${i}`,
                    jobFunction: (payload: object) => payload,
                }),
        )
        const ids = await Promise.all(
            numbered(100).flatMap(({ payload }) => [
                definitions[payload.i % 5]?.defer({ payload }),
                definitions[payload.i % 5]?.defer({ payload, delayMs: 60_000 }),
            ]),
        )
        expect(new Set(ids).size).toBe(200)
        const { rows } = await queue.sql.query(
            `select name, state, payload from ${queue.schema}.job
            join ${queue.schema}.job_definition as definition on definition.id = definition_id`,
        )
        const summary = rows.map((row) => `${row.name} ${row.state} ${JSON.stringify(row.payload)}`).sort()
        const expected = numbered(100).flatMap(({ payload }) =>
            ["ready", "delayed"].map(
                (state) => `definition ${payload.i % 5} ${state} ${JSON.stringify(payload)}`,
            ),
        )
        expect(summary).toEqual(expected.sort())
    })

    it("is durable when its promise resolves", async () => {
        const queue = await makeQueue()
        const echo = makeEcho(queue)
        const id = await echo.defer({ payload: {} })
        expect((await queue.jobs()).map((row) => Number(row.id))).toEqual([id])
    })
})

describe("deferMany", () => {
    it("defers 2,500 jobs and returns their ids in the order given", async () => {
        const queue = await makeQueue()
        const echo = makeEcho(queue)
        const ids = await echo.deferMany(numbered(2_500))
        const jobs = await queue.jobs()
        expect(ids).toHaveLength(2_500)
        expect(jobs.map((row) => Number(row.id))).toEqual(ids)
        expect(jobs.map((row) => row.payload)).toEqual(numbered(2_500).map(({ payload }) => payload))
    })

    it("keeps the order over more jobs than one statement takes, with delays and dependencies among them", async () => {
        const queue = await makeQueue()
        const echo = makeEcho(queue)
        const [first = 0] = await echo.deferMany([{ payload: { i: -1 } }])
        const jobs = numbered(5_500).map((job, i) => ({
            ...job,
            ...(i % 3 === 1 ? { delayMs: 60_000 } : {}),
            ...(i % 3 === 2 ? { dependencies: [first] } : {}),
        }))
        const ids = await echo.deferMany(jobs)
        const rows = (await queue.jobs()).slice(1)
        expect(rows.map((row) => Number(row.id))).toEqual(ids)
        expect(rows.map((row) => row.payload)).toEqual(jobs.map(({ payload }) => payload))
        const states = ["ready", "delayed", "blocked"]
        expect(rows.map((row) => row.state)).toEqual(jobs.map((_, i) => states[i % 3]))
    })

    it("defers none when one of them is refused before anything is sent", async () => {
        const queue = await makeQueue()
        const echo = makeEcho(queue)
        const jobs = [...numbered(2_499), { payload: { when: new Date() } }]
        await expect(echo.deferMany(jobs)).rejects.toMatchObject({ code: "CUCKMQ_INVALID_PAYLOAD" })
        expect(await queue.jobs()).toEqual([])
    })

    it("defers none when the database refuses one, in whichever statement it travels", async () => {
        // The first use of a definition, and a pool whose only connection the transaction holds.
        const queue = await makeQueue({ pool: { max: 1 } })
        const echo = makeEcho(queue)
        const jobs = [...numbered(5_499), { payload: { i: 5_499 }, dependencies: [999_999] }]
        await expect(echo.deferMany(jobs)).rejects.toMatchObject({ code: "CUCKMQ_DEPENDENCY_NOT_FOUND" })
        expect(await queue.jobs()).toEqual([])
    })

    it("of no jobs returns no ids", async () => {
        const queue = await makeQueue()
        expect(await makeEcho(queue).deferMany([])).toEqual([])
        expect(await queue.jobs()).toEqual([])
    })

    it("runs every job once", async () => {
        const queue = await makeQueue()
        const seen: number[] = []
        const keep = new JobDefinition({
            config: queue.config,
            name: "keep",
            jobFunction: ({ i }: { i: number }) => void seen.push(i),
        })
        keep.register()
        for (let i = 0; i < 3; i++) queue.worker({ concurrency: 20 })
        await keep.deferMany(numbered(2_500))
        await eventually(async () => (await queue.history()).length === 2_500)
        expect(seen.sort((a, b) => a - b)).toEqual(numbered(2_500).map(({ payload }) => payload.i))
    })
})
