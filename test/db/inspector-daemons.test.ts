import { hostname } from "node:os"
import { describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { toldOf } from "../../src/heartbeat.ts"
import { Config, Inspector } from "../../src/index.ts"
import { VERSION } from "../../src/version.ts"
import { define } from "../support/define.ts"
import { finalizedJob } from "../support/finalized.ts"
import { waitsBefore } from "../support/flaky-pool.ts"
import { makeRole } from "../support/role.ts"
import { eventually, hasServer, makePool, makeQueue } from "../support/with-schema.ts"

/** Tells of a worker that ends when the test says so, every 20 ms. */
function tellOf(config: Config, numRunning: () => number) {
    let end: () => void = () => undefined
    const ended = new Promise<void>((resolve) => {
        end = resolve
    })
    const worker = { kind: "worker", name: "w", channel: "_default", concurrency: 3 } as const
    const session = toldOf(
        { ended, stop: () => undefined, force: () => undefined },
        { ...worker, core: coreOf(config), numRunning, intervalMs: 20, onError: () => undefined },
    )
    return { session, end }
}

describe("workers and orchestrators", () => {
    it("are known while they are there, with what they run, and gone when they have stopped", async () => {
        const queue = await makeQueue()
        const inspector = new Inspector({ config: queue.config })
        define(queue.config, () => undefined, { name: "b" })
        define(queue.config, () => undefined, { name: "a", concurrencyLimit: { max: 3, key: () => "k" } })
        define(queue.config, () => undefined, { name: "c", channel: "other", repeatIntervalMs: 3_600_000 })
        const worker = queue.worker({ name: "burrow", concurrency: 7 })
        const orchestrator = queue.orchestrator({ name: "hill" })
        await eventually(async () => {
            const all = [...(await inspector.workers()), ...(await inspector.orchestrators())]
            return all.length === 2
        })
        const common = {
            ...{ id: expect.any(String), host: hostname(), pid: process.pid, version: VERSION },
            ...{ startedAt: expect.any(Date), heartbeatAt: expect.any(Date), heartbeatIntervalMs: 10_000 },
            ...{ isStopping: false, isLive: true },
        }
        const [info] = await inspector.workers()
        expect(info).toEqual({
            ...{ ...common, name: "burrow", channel: "_default", concurrency: 7, numRunning: 0 },
            definitions: ["a", "b"],
        })
        expect(await inspector.orchestrators()).toEqual([
            { ...common, name: "hill", definitions: ["a", "b", "c"] },
        ])

        await eventually(async () => (await inspector.definitions()).length === 3)
        const [a, b, c] = await inspector.definitions()
        const known = [{ id: info?.id, name: "burrow", host: hostname(), pid: process.pid }]
        expect(a).toEqual({
            ...{ name: "a", channel: "_default", numAttempts: 0, priority: 0, timeoutIntervalMs: 43_200_000 },
            ...{ lockIntervalMs: 60_000, releaseIntervalMs: 0, repeat: null, keepSucceededMs: null },
            ...{ keepFailedMs: null, isPaused: false, numPausedKeys: 0, retiredAt: null, workers: known },
            limits: { concurrency: { max: 3, isKeyed: true }, rate: null, group: null },
            ...{ heartbeatAt: expect.any(Date), createdAt: expect.any(Date) },
        })
        expect(b).toMatchObject({ name: "b", limits: null, workers: known })
        expect(c).toMatchObject({
            ...{ name: "c", workers: [] },
            repeat: { intervalMs: 3_600_000, cron: null, onMissed: "once", nextAt: expect.any(Date) },
        })

        worker.stop()
        await worker.join()
        expect(await inspector.workers()).toEqual([])
        expect((await inspector.definitions())[0]?.workers).toEqual([])
        orchestrator.stop()
        await orchestrator.join()
        expect(await inspector.orchestrators()).toEqual([])
    })

    it("are written down again where a sweep took them for gone, and with what they know by now", async () => {
        const queue = await makeQueue()
        const inspector = new Inspector({ config: queue.config })
        let numRunning = 1
        const { session, end } = tellOf(queue.config, () => numRunning)
        const first = await eventually(async () => (await inspector.workers())[0])
        expect(first).toMatchObject({ numRunning: 1, definitions: [], isStopping: false })
        numRunning = 2
        await eventually(async () => (await inspector.workers())[0]?.numRunning === 2)
        await queue.sql.query(`delete from ${queue.schema}.daemon`)
        const again = await eventually(async () => (await inspector.workers())[0])
        expect(again.id).toBe(first.id)
        define(queue.config, () => undefined)
        await eventually(async () => (await inspector.workers())[0]?.definitions[0] === "job")
        session.stop()
        await eventually(async () => (await inspector.workers())[0]?.isStopping)
        end()
        await session.ended
        expect(await inspector.workers()).toEqual([])
    })

    it.skipIf(!hasServer())(
        "cost an idle worker one statement at the start, and one at the end, and few between",
        async () => {
            const queue = await makeQueue()
            const pool = makePool()
            const texts: string[] = []
            const config = new Config({
                pool: waitsBefore(pool, "-- cuckmq", async (text) => void texts.push(text)),
                schema: queue.schemaName,
            })
            const worker = queue.worker({ config, processIntervalMs: 10 })
            await eventually(() => texts.some((text) => text.includes("enter-daemon")))
            // A worker that has looked so often has been idle for a while.
            const numLooks = () => texts.filter((text) => text.includes("look-around")).length
            const before = numLooks()
            await eventually(() => numLooks() > before + 20)
            worker.stop()
            await worker.join()
            const about = texts.filter((text) => /daemon\n/.test(text)).map((text) => text.split("\n")[0])
            expect(about).toEqual(["-- cuckmq: enter-daemon", "-- cuckmq: remove-daemon"])
        },
    )

    it.skipIf(!hasServer()).each([
        { what: "new", are: "told each time", numRunning: (beat: number) => beat, writes: [0, 1, 2, 3, 4] },
        { what: "the same", are: "told every other time", numRunning: () => 2, writes: [0, 1, 1, 2, 2] },
    ])("with something $what to say are $are", async ({ numRunning, writes }) => {
        const queue = await makeQueue()
        let numWrites = 0
        const pool = waitsBefore(makePool(), "-- cuckmq", async (text) => {
            if (/(enter|heartbeat)-daemon/.test(text)) numWrites++
        })
        const config = new Config({ pool, schema: queue.schemaName })
        /** How often it had been written down before each beat. */
        const before: number[] = []
        const { session, end } = tellOf(config, () => numRunning(before.push(numWrites)))
        await eventually(() => before.length >= writes.length)
        end()
        await session.ended
        expect(before.slice(0, writes.length)).toEqual(writes)
    })

    it("that ended without a word are not live, and are swept", async () => {
        const queue = await makeQueue()
        const inspector = new Inspector({ config: queue.config })
        const { sql, schema } = queue
        const silentFor = async (seconds: number) =>
            sql.query(
                `insert into ${schema}.daemon
                    (id, kind, name, host, pid, version, channel, concurrency, definition_names, heartbeat_at, interval_ms)
                values ($1::text, 'worker', $1, 'h', 1, '1', '_default', 5, '{}',
                    clock_timestamp() - $1::integer * interval '1 s', 10000)`,
                [seconds],
            )
        for (const seconds of [20, 40, 400]) await silentFor(seconds)
        const liveness = async () => (await inspector.workers()).map(({ name, isLive }) => [name, isLive])
        expect(await liveness()).toEqual([
            ["20", true],
            ["40", false],
            ["400", false],
        ])
        queue.orchestrator()
        await eventually(async () => (await inspector.workers()).length === 2)
        expect((await inspector.workers()).map(({ name }) => name)).toEqual(["20", "40"])
    })

    it.skipIf(!hasServer())("go on where they cannot be written down, and say so once", async () => {
        const queue = await makeQueue()
        const { schema, schemaName } = queue
        const role = await makeRole({
            grants: [
                `usage on schema ${schema}`,
                `usage on sequence ${schema}.job_sequence`,
                `select, insert, update, delete on all tables in schema ${schema}`,
            ],
        })
        await queue.sql.query(`revoke all on ${schema}.daemon from ${role}`)
        const config = new Config({ pool: makePool({ role }), schema: schemaName })
        const job = define(config, () => "done")
        const worker = queue.worker({ config })
        expect(await finalizedJob(queue, await job.defer({ payload: {} }))).toMatchObject({ result: "done" })
        const errors = () => queue.events.filter(({ eventType }) => eventType === "daemon-error")
        await eventually(() => errors().length === 1)
        expect(errors()).toMatchObject([{ activity: "tell of the daemon" }])
        worker.stop()
        await worker.join()
        expect(errors()).toHaveLength(1)
    })
})
