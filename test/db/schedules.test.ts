import { describe, expect, it } from "vitest"
import { InvalidOptionError, InvalidPayloadError, ScheduleNotFoundError } from "../../src/index.ts"
import { finalized, finalizedJob } from "../support/finalized.ts"
import { defineTicking, dueTimes, setTick, yearly } from "../support/schedules.ts"
import { inTransaction } from "../support/transaction.ts"
import { eventually, hasSessions, makeQueue } from "../support/with-schema.ts"

const HOUR_MS = 3_600_000
const DAILY = { expression: "30 2 * * *", timeZone: "Europe/Berlin" }

describe("a schedule", () => {
    it("runs jobs with its payload, and tells them their tick and the orchestrator's listeners its name", async () => {
        const queue = await makeQueue()
        const seen: unknown[] = []
        const job = defineTicking(queue, {
            jobFunction: (payload, { dueAt }) => void seen.push([payload, dueAt.getTime()]),
        })
        queue.worker()
        queue.orchestrator({ repeatIntervalMs: 60_000 })
        const cron = { expression: "* * * * * *" }
        const made = await queue.config.schedules.upsert({
            name: "report",
            definition: job,
            payload: { to: "ada" },
            cron,
        })
        expect(made).toEqual({
            name: "report",
            definition: "job",
            payload: { to: "ada" },
            intervalMs: null,
            cron: { ...cron, timeZone: "UTC" },
            onMissed: "once",
            onOverlap: "queue",
            isPaused: false,
            nextAt: expect.any(Date),
            lastJobID: null,
            createdAt: expect.any(Date),
            updatedAt: expect.any(Date),
        })
        const [row] = await finalized(queue, 1)
        const tick = made.nextAt?.getTime() ?? 0
        expect(tick % 1_000).toBe(0)
        expect(seen[0]).toEqual([{ to: "ada" }, tick])
        await eventually(() => queue.events.some((event) => event.eventType === "orchestrator-job-schedule"))
        expect(queue.events).toContainEqual({
            eventType: "orchestrator-job-schedule",
            jobID: Number(row?.id),
            jobName: "job",
            scheduleName: "report",
        })
    })

    it("with an interval is due at once, and then on its grid", async () => {
        const queue = await makeQueue()
        const job = defineTicking(queue)
        queue.orchestrator({ repeatIntervalMs: 60_000 })
        await queue.config.schedules.upsert({ name: "often", definition: job, payload: {}, intervalMs: 70 })
        const [first = 0, ...rest] = await eventually(async () => {
            const times = await dueTimes(queue)
            return times.length >= 4 && times
        })
        expect(rest.map((ms) => Math.round((ms - first) * 1_000) % 70_000)).toEqual(rest.map(() => 0))
    })

    it.skipIf(!hasSessions())(
        "is heard of at once by orchestrators beside a worker of another process",
        async () => {
            const queue = await makeQueue()
            const job = defineTicking(queue)
            const other = queue.otherConfig()
            queue.worker({ config: other })
            queue.orchestrator({ config: other, repeatIntervalMs: HOUR_MS })
            await eventually(async () => {
                const name = `again ${Math.random()}`
                await queue.config.schedules.upsert({
                    name,
                    definition: job,
                    payload: {},
                    intervalMs: HOUR_MS,
                })
                return (await dueTimes(queue)).length > 0
            })
        },
    )

    it("keeps its next tick when it is written again with the same rule, whatever else changes", async () => {
        const queue = await makeQueue()
        const { schedules } = queue.config
        const job = defineTicking(queue)
        const other = defineTicking(queue, { name: "other" })
        for (const rule of [{ intervalMs: HOUR_MS }, { cron: DAILY }]) {
            const options = { name: "kept", definition: job, payload: { a: 1 }, ...rule }
            await schedules.upsert(options)
            const tick = new Date("2027-01-01T00:00:00.000Z")
            await setTick(queue, tick)
            const again = await schedules.upsert({
                ...options,
                definition: other,
                payload: { a: 2 },
                onMissed: "all",
            })
            expect(again).toMatchObject({
                definition: "other",
                payload: { a: 2 },
                onMissed: "all",
                nextAt: tick,
            })
            await schedules.remove("kept")
        }
    })

    it("that has missed ticks does not lose them when all is written again", async () => {
        const queue = await makeQueue()
        await yearly(queue)
        await setTick(queue, "2026-01-01T00:00:00Z")
        expect(await yearly(queue, { definition: defineTicking(queue, { name: "other" }) })).toMatchObject({
            nextAt: new Date("2026-01-01T00:00:00Z"),
        })
    })

    it("gets a new tick with a new rule: the next time named, or an interval from now", async () => {
        const queue = await makeQueue()
        const { schedules } = queue.config
        const definition = defineTicking(queue)
        const write = (rule: object) =>
            schedules.upsert({ name: "changed", definition, payload: {}, ...rule } as never)
        const { nextAt: first } = await write({ cron: { expression: "0 0 1 1 *" } })
        const { nextAt: other } = await write({
            cron: { expression: "0 0 1 1 *", timeZone: "Europe/Berlin" },
        })
        expect((first?.getTime() ?? 0) - (other?.getTime() ?? 0)).toBe(HOUR_MS)
        const { nextAt: soon, updatedAt } = await write({ intervalMs: 1_000 })
        expect((soon?.getTime() ?? 0) - updatedAt.getTime()).toBeCloseTo(1_000, 0)
        expect((await write({ intervalMs: HOUR_MS })).nextAt).toEqual(soon)
    })

    it("is listed by name, found, and removed once", async () => {
        const queue = await makeQueue()
        const { schedules } = queue.config
        const definition = defineTicking(queue)
        for (const name of ["b", "'; --", "a"]) await yearly(queue, { name, definition })
        expect((await schedules.list()).map(({ name }) => name)).toEqual(["'; --", "a", "b"])
        expect(await schedules.get("a")).toMatchObject({ name: "a" })
        expect(await schedules.get("c")).toBeUndefined()
        expect([await schedules.remove("a"), await schedules.remove("a")]).toEqual([true, false])
        expect((await schedules.list()).map(({ name }) => name)).toEqual(["'; --", "b"])
    })

    it("that is paused gets no jobs, and none for that time when it is resumed", async () => {
        const queue = await makeQueue()
        const { schedules } = queue.config
        const job = defineTicking(queue)
        const beside = defineTicking(queue, { name: "beside" })
        await yearly(queue, { name: "cron", definition: job, onMissed: "all" })
        await schedules.upsert({ name: "grid", definition: job, payload: {}, intervalMs: HOUR_MS })
        for (const name of ["cron", "grid"]) await schedules.pause(name)
        await schedules.pause("grid")
        await setTick(queue, new Date(Date.now() - 10.5 * HOUR_MS))
        await yearly(queue, { name: "cron", definition: job, onMissed: "all" })
        expect(await schedules.get("cron")).toMatchObject({ isPaused: true, nextAt: null })
        expect(await schedules.nextTimes("cron")).toEqual([])
        queue.orchestrator({ repeatIntervalMs: 5 })
        await schedules.upsert({ name: "beside", definition: beside, payload: {}, intervalMs: 20 })
        await eventually(async () => (await dueTimes(queue, "beside")).length > 2)
        for (const name of ["cron", "grid"]) await schedules.resume(name)
        await schedules.resume("grid")
        const [grid] = await schedules.nextTimes("grid", 1)
        expect((grid?.getTime() ?? 0) - Date.now()).toBeGreaterThan(0)
        expect((grid?.getTime() ?? 0) - Date.now()).toBeLessThanOrEqual(0.5 * HOUR_MS)
        expect((await schedules.get("cron"))?.nextAt?.toISOString()).toMatch(/-01-01T00:00:00.000Z$/)
        expect(await dueTimes(queue)).toEqual([])
    })

    it("can be run now, also while it is paused, and its ticks stay", async () => {
        const queue = await makeQueue()
        const { schedules } = queue.config
        const definition = defineTicking(queue, { jobFunction: (payload) => payload as never })
        const { nextAt } = await yearly(queue, { definition, payload: { now: true } })
        queue.worker({ processIntervalMs: 60_000 })
        const first = await schedules.runNow("yearly")
        expect(await finalizedJob(queue, first)).toMatchObject({ result: { now: true } })
        await schedules.pause("yearly")
        const second = await schedules.runNow("yearly")
        await finalizedJob(queue, second)
        await schedules.resume("yearly")
        expect(await schedules.get("yearly")).toMatchObject({ nextAt, lastJobID: second })
    })

    it("is made, changed and run in a transaction of the caller's own, or not at all", async () => {
        const queue = await makeQueue()
        const { schedules } = queue.config
        const definition = defineTicking(queue)
        const rollback = new Error("rolled back")
        const all = async (client: Parameters<typeof schedules.list>[0]) => {
            await yearly(queue, { name: "tx", definition, ...client })
            await schedules.pause("tx", client)
            await schedules.resume("tx", client)
            await schedules.runNow("tx", client)
            expect(await schedules.list(client)).toMatchObject([{ name: "tx", isPaused: false }])
            return schedules.get("tx", client)
        }
        await inTransaction(queue, async (client) => {
            await all({ client })
            throw rollback
        }).catch((error: unknown) => expect(error).toBe(rollback))
        expect([await schedules.list(), await queue.jobs()]).toEqual([[], []])
        const made = await inTransaction(queue, (client) => all({ client }))
        expect(await schedules.list()).toEqual([made])
        expect(await queue.jobs()).toHaveLength(1)
        await inTransaction(queue, (client) => schedules.remove("tx", { client }))
        expect(await schedules.list()).toEqual([])
    })

    it("that does not exist is an error where something is to be done with it", async () => {
        const { config } = await makeQueue()
        for (const method of ["pause", "resume", "runNow", "nextTimes"] as const) {
            const error = await config.schedules[method]("none").catch((thrown: unknown) => thrown)
            expect(error).toBeInstanceOf(ScheduleNotFoundError)
            expect(error).toMatchObject({ code: "CUCKMQ_SCHEDULE_NOT_FOUND", schedule: "none" })
        }
    })

    it("keeps its definition from being swept", async () => {
        const queue = await makeQueue()
        const kept = defineTicking(queue, { config: queue.otherConfig(), name: "kept" })
        await kept.defer({ payload: {} })
        await defineTicking(queue, { name: "swept", config: queue.otherConfig() }).defer({ payload: {} })
        await queue.sql.query(`delete from ${queue.schema}.job`)
        const old = `update ${queue.schema}.job_definition set heartbeat_at = clock_timestamp() - interval '1 hour'`
        const config = queue.otherConfig()
        const definition = defineTicking(queue, { config, name: "kept" })
        await config.schedules.upsert({ name: "s", definition, payload: {}, cron: DAILY })
        await queue.sql.query(old)
        queue.orchestrator({
            cleanIntervalMs: 10,
            staleJobDefinitionSweepThresholdMs: 1_000,
            finalizedJobSweepThresholdMs: 10,
        })
        const names = async () =>
            (await queue.sql.query(`select name, retired_at from ${queue.schema}.job_definition`)).rows
        await eventually(async () => (await names()).length === 1)
        expect(await names()).toEqual([{ name: "kept", retired_at: null }])
    })

    it("that was written while its definition was being retired brings the definition back", async () => {
        const queue = await makeQueue()
        await yearly(queue)
        await queue.sql.query(
            `update ${queue.schema}.job_definition set retired_at = clock_timestamp() - interval '1 hour', retired_by = '3'`,
        )
        queue.orchestrator({ config: queue.otherConfig(), cleanIntervalMs: 10 })
        await eventually(async () => {
            const found = await queue.sql.query(
                `select from ${queue.schema}.job_definition where retired_by is null`,
            )
            return found.rows.length === 1
        })
        expect(await queue.config.schedules.list()).toHaveLength(1)
    })

    it("of a definition that is retired writes it down again", async () => {
        const queue = await makeQueue()
        const definition = defineTicking(queue)
        await definition.defer({ payload: {} })
        await queue.sql.query(`delete from ${queue.schema}.job`)
        await queue.sql.query(`delete from ${queue.schema}.job_definition`)
        expect(await yearly(queue, { definition })).toMatchObject({ definition: "job" })
    })
})

describe("the options of a schedule", () => {
    it("are refused by name, before anything is sent", async () => {
        const queue = await makeQueue({ isPrepared: false })
        const definition = defineTicking(queue)
        const foreign = defineTicking(queue, { config: queue.otherConfig() })
        const good = { name: "s", definition, payload: {}, intervalMs: 1 }
        const { intervalMs, ...bare } = good
        const bad: [string, object][] = [
            ["name", { ...good, name: " " }],
            ["definition", { ...good, definition: foreign }],
            ["definition", { ...good, definition: { name: "job" } }],
            ["definition", { ...good, definition: null }],
            ["intervalMs", { ...good, intervalMs: 0 }],
            ["intervalMs", { ...good, cron: DAILY }],
            ["intervalMs", bare],
            ["cron", { ...bare, cron: "* * * * *" }],
            ["onMissed", { ...good, onMissed: "never" }],
            ["onOverlap", { ...good, onOverlap: true }],
            ["client", { ...good, client: {} }],
            ["every", { ...good, every: intervalMs }],
        ]
        for (const [option, options] of bad) {
            const error = await queue.config.schedules.upsert(options as never).catch((e: unknown) => e)
            expect(error, option).toBeInstanceOf(InvalidOptionError)
            expect(error).toMatchObject({ option })
        }
        const payload = { at: new Date() }
        await expect(queue.config.schedules.upsert({ ...good, payload })).rejects.toThrow(InvalidPayloadError)
        await expect(queue.config.schedules.runNow("a", { when: 1 } as never)).rejects.toThrow(/when/)
        await expect(queue.config.schedules.nextTimes("a", 1_001)).rejects.toThrow(/count/)
    })
})

describe("what comes next", () => {
    it("is told for a rule, without the database", async () => {
        const { schedules } = (await makeQueue({ isPrepared: false })).config
        const from = new Date("2026-03-27T12:00:00Z")
        expect(schedules.preview({ cron: DAILY, count: 3, from })).toEqual([
            new Date("2026-03-28T01:30:00Z"),
            new Date("2026-03-29T01:00:00Z"),
            new Date("2026-03-30T00:30:00Z"),
        ])
        expect(schedules.preview({ intervalMs: HOUR_MS, count: 2, from })).toEqual([
            from,
            new Date("2026-03-27T13:00:00Z"),
        ])
        expect(schedules.preview({ intervalMs: HOUR_MS })).toHaveLength(10)
        expect(() => schedules.preview({ intervalMs: 1, count: 1_001 })).toThrow(InvalidOptionError)
        expect(() => schedules.preview({ intervalMs: 1, from: 5 as never })).toThrow(InvalidOptionError)
    })

    it("is told for a schedule, from the tick it waits for", async () => {
        const queue = await makeQueue()
        const { nextAt } = await yearly(queue)
        const times = await queue.config.schedules.nextTimes("yearly", 3)
        expect(times[0]).toEqual(nextAt)
        expect(times.map((time) => time.getUTCFullYear() - (nextAt?.getUTCFullYear() ?? 0))).toEqual([
            0, 1, 2,
        ])
    })
})
