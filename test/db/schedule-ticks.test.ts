import { describe, expect, it } from "vitest"
import { finalized } from "../support/finalized.ts"
import { makeGate } from "../support/gate.ts"
import { defineTicking, dueTimes, setTick, yearly } from "../support/schedules.ts"
import { eventually, makeQueue, type Queue } from "../support/with-schema.ts"

const HOUR_MS = 3_600_000
const HOURLY = { cron: { expression: "0 * * * *" } }

/** The start of the hour that many hours ago. */
function hoursAgo(num: number): Date {
    return new Date((Math.floor(Date.now() / HOUR_MS) - num) * HOUR_MS)
}

/** Resolves when the orchestrators have nothing left to fire. */
async function untilAhead(queue: Queue, table = "schedule"): Promise<void> {
    await eventually(async () => {
        const { rows } = await queue.sql.query(
            `select bool_and(next_repeat_at > clock_timestamp()) as is_ahead from ${queue.schema}.${table}`,
        )
        return rows[0]?.is_ahead === true
    })
}

/** What becomes of ticks from `tick` on, with two orchestrators. */
async function fireFrom(tick: Date, options: object): Promise<number[]> {
    const queue = await makeQueue()
    await yearly(queue, { cron: undefined as never, ...options })
    await setTick(queue, tick)
    queue.orchestrator()
    queue.orchestrator({ config: queue.otherConfig() })
    await untilAhead(queue)
    return dueTimes(queue)
}

describe.each([
    ["a cron expression", HOURLY],
    ["an interval", { intervalMs: HOUR_MS }],
])("ticks that were missed, of %s", (_what, rule) => {
    it("become one job at the last of them, unless told otherwise", async () => {
        const before = hoursAgo(0).getTime()
        const times = await fireFrom(hoursAgo(30), rule)
        expect(times).toHaveLength(1)
        expect(times[0]).toBeGreaterThanOrEqual(before)
    })

    it("become a job each with `all`, more than are done at a time", async () => {
        const times = await fireFrom(hoursAgo(249), { ...rule, onMissed: "all" })
        expect(times.slice(0, 250)).toEqual(
            Array.from({ length: 250 }, (_, i) => hoursAgo(249).getTime() + i * HOUR_MS),
        )
        expect(times.length).toBeLessThanOrEqual(251)
    })

    it("are left out with `skip`, and the next one is on the grid", async () => {
        const queue = await makeQueue()
        await yearly(queue, { cron: undefined as never, ...rule, onMissed: "skip" })
        // Half an hour past any tick, wherever in its hour the test runs.
        const tick = new Date(Date.now() - 30.5 * HOUR_MS)
        await queue.sql.query(
            `update ${queue.schema}.schedule set next_repeat_at = $1::timestamptz,
            repeat_cron = case when repeat_cron is null then null else '${tick.getUTCMinutes()} * * * *' end`,
            [tick.toISOString()],
        )
        queue.orchestrator()
        await untilAhead(queue)
        expect(await dueTimes(queue)).toEqual([])
        const [next] = await queue.config.schedules.nextTimes("yearly", 1)
        expect((next?.getTime() ?? 0) - Date.now()).toBeLessThanOrEqual(0.5 * HOUR_MS + 1_000)
    })

    it("are not missed with `skip` when they are a little late", async () => {
        const times = await fireFrom(new Date(Math.floor(Date.now() / 1_000) * 1_000 - 30_000), {
            ...rule,
            onMissed: "skip",
        })
        expect(times.length).toBeGreaterThanOrEqual(1)
    })
})

describe("a tick that comes while the last job is not finalized", () => {
    it("is left out with `onOverlap: skip`, also after `runNow`, and none is when it is", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        const definition = defineTicking(queue, { jobFunction: () => gate.opened })
        queue.worker({ concurrency: 10 })
        await yearly(queue, { definition, onOverlap: "skip", onMissed: "all" })
        const { schedules } = queue.config
        const runs = [await schedules.runNow("yearly"), await schedules.runNow("yearly")]
        await setTick(queue, "2020-01-01T00:00:00Z")
        const orchestrator = queue.orchestrator({ repeatIntervalMs: 5 })
        await untilAhead(queue)
        expect(await queue.jobs()).toHaveLength(2)
        gate.open()
        await finalized(queue, runs.length)
        await setTick(queue, "2020-01-01T00:00:00Z")
        await untilAhead(queue)
        await finalized(queue, 3)
        orchestrator.stop()
        await orchestrator.join()
        // Of all the ticks that were missed the first one got the job, and held up the others.
        expect((await dueTimes(queue)).filter((ms) => ms === Date.UTC(2020, 0, 1))).toHaveLength(1)
        expect(await queue.history()).toHaveLength(3)
    })

    it("is left out of a definition's own schedule too", async () => {
        const queue = await makeQueue()
        const gate = makeGate()
        defineTicking(queue, { repeatIntervalMs: 10, onOverlap: "skip", jobFunction: () => gate.opened })
        defineTicking(queue, { name: "beside", repeatIntervalMs: 10 })
        queue.worker({ concurrency: 10 })
        queue.orchestrator()
        await eventually(async () => (await dueTimes(queue, "beside")).length > 5)
        expect(await dueTimes(queue)).toHaveLength(1)
        gate.open()
        await eventually(async () => (await dueTimes(queue)).length > 1)
    })

    it("is queued unless told otherwise", async () => {
        const queue = await makeQueue()
        defineTicking(queue, { repeatIntervalMs: 10 })
        queue.orchestrator()
        await eventually(async () => (await queue.jobs()).length > 3)
    })
})

describe("a definition with repeatCron", () => {
    it("gets a job at each time named, one a tick from three orchestrators", async () => {
        const queue = await makeQueue()
        const configs = [queue.config, queue.otherConfig(), queue.otherConfig()]
        for (const config of configs) {
            defineTicking(queue, { config, repeatCron: { expression: "* * * * * *" } })
            queue.orchestrator({ config, repeatIntervalMs: 20 })
        }
        const times = await eventually(async () => {
            const found = await dueTimes(queue)
            return found.length >= 2 && found
        })
        expect(new Set(times).size).toBe(times.length)
        expect(times.map((ms) => ms % 1_000)).toEqual(times.map(() => 0))
    })

    it("keeps its tick over a deploy with the same rule, and gets another with another", async () => {
        const queue = await makeQueue()
        const write = async (repeatCron: object | null) => {
            const config = queue.otherConfig()
            const definition = defineTicking(queue, { config, repeatCron: repeatCron as never })
            await definition.defer({ payload: {} })
            const { rows } = await queue.sql.query(
                `select next_repeat_at, repeat_cron from ${queue.schema}.job_definition`,
            )
            return rows[0]
        }
        await write({ expression: "0 0 1 1 *" })
        await setTick(queue, "2026-01-01T00:00:00Z", "job_definition")
        const kept = { next_repeat_at: new Date("2026-01-01T00:00:00Z"), repeat_cron: "0 0 1 1 *" }
        expect(await write({ expression: " 0 0  1 1 * " })).toEqual(kept)
        const changed = await write({ expression: "0 0 1 1 *", timeZone: "Asia/Kathmandu" })
        expect(new Date(Number(changed?.next_repeat_at)).toISOString()).toMatch(/12-31T18:15:00.000Z$/)
        expect(await write(null)).toEqual({ next_repeat_at: null, repeat_cron: null })
    })

    it("gets a tick again when a process of an earlier release has taken it away", async () => {
        const queue = await makeQueue()
        defineTicking(queue, { repeatCron: { expression: "0 0 1 1 *" } })
        const first = queue.orchestrator()
        await untilAhead(queue, "job_definition")
        first.stop()
        await first.join()
        await queue.sql.query(`update ${queue.schema}.job_definition set next_repeat_at = null`)
        queue.orchestrator()
        await untilAhead(queue, "job_definition")
        expect(await dueTimes(queue)).toEqual([])
    })

    it("makes up for missed ticks as it says", async () => {
        const queue = await makeQueue()
        defineTicking(queue, { repeatCron: { expression: "0 0 1 1 *" }, onMissed: "all" })
        const first = queue.orchestrator()
        await untilAhead(queue, "job_definition")
        first.stop()
        await first.join()
        await setTick(queue, "2023-01-01T00:00:00Z", "job_definition")
        queue.orchestrator()
        await untilAhead(queue, "job_definition")
        const times = (await dueTimes(queue)).map((ms) => new Date(ms).toISOString().slice(0, 10))
        expect(times.slice(0, 4)).toEqual(["2023-01-01", "2024-01-01", "2025-01-01", "2026-01-01"])
    })
})

describe("dueAt of the context", () => {
    it("is the same in all attempts of a job, also after a snooze", async () => {
        const queue = await makeQueue()
        const seen: number[] = []
        const job = defineTicking(queue, {
            numAttempts: 1,
            retryDelayMs: 10,
            jobFunction: (_payload, context) => {
                seen.push(context.dueAt.getTime())
                if (seen.length === 1) return context.snooze(10)
                if (seen.length === 2) throw new Error("again")
            },
        })
        const id = await job.defer({ payload: {}, delayMs: 50 })
        const [row] = await queue.jobs()
        expect(Number(row?.id)).toBe(id)
        queue.worker({ processIntervalMs: 10 })
        await finalized(queue, 1)
        expect(seen).toHaveLength(3)
        expect(new Set(seen).size).toBe(1)
        expect(seen[0]).toBeCloseTo(Number(row?.due_at), -1)
    })
})
