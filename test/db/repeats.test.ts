import { describe, expect, it } from "vitest"
import { type Config, JobDefinition } from "../../src/index.ts"
import { finalized } from "../support/finalized.ts"
import { eventually, makeQueue, type Queue } from "../support/with-schema.ts"

const HOUR_MS = 3_600_000

function repeat(config: Config, repeatIntervalMs: number | null, name = "repeating") {
    const definition = new JobDefinition({
        config,
        name,
        repeatIntervalMs,
        jobFunction: (_: {}) => undefined,
    })
    definition.register()
    return definition
}

/** The ticks of a definition's jobs, live or finalized, in milliseconds since its first one. */
async function ticksOf(queue: Queue, name = "repeating"): Promise<number[]> {
    const { rows } = await queue.sql.query(
        `select round(date_part('epoch', due_at - min(due_at) over ()) * 1000000) as us
        from (
            select definition_id, due_at from ${queue.schema}.job
            union all select definition_id, due_at from ${queue.schema}.job_history
        ) as job
        join ${queue.schema}.job_definition as definition on definition.id = definition_id and name = $1
        order by due_at`,
        [name],
    )
    return rows.map((row) => Number(row.us) / 1_000)
}

function untilTicks(queue: Queue, num: number, name?: string): Promise<number[]> {
    return eventually(async () => {
        const ticks = await ticksOf(queue, name)
        return ticks.length >= num && ticks
    })
}

describe("a definition with repeatIntervalMs", () => {
    it("come as often as the orchestrator looks, when the interval is shorter than anything", async () => {
        const queue = await makeQueue()
        repeat(queue.config, Number.MIN_VALUE)
        const orchestrator = queue.orchestrator()
        await untilTicks(queue, 3)
        orchestrator.stop()
        await orchestrator.join()
        expect(queue.events.filter(({ eventType }) => eventType === "daemon-error")).toEqual([])
    })

    it("gets its first job at once, with an empty payload", async () => {
        const queue = await makeQueue()
        repeat(queue.config, HOUR_MS)
        queue.worker({ processIntervalMs: 60_000 })
        queue.orchestrator()
        const [row] = await finalized(queue, 1)
        expect(row).toMatchObject({ outcome: "succeeded", payload: {} })
        await eventually(() => queue.events.some((event) => event.eventType === "orchestrator-job-schedule"))
        expect(queue.events).toContainEqual({
            eventType: "orchestrator-job-schedule",
            jobID: Number(row?.id),
            jobName: "repeating",
        })
    })

    it("gets a job at every tick of a fixed grid, whatever the orchestrator's repeatIntervalMs", async () => {
        const queue = await makeQueue()
        repeat(queue.config, 70)
        queue.orchestrator({ repeatIntervalMs: 60_000 })
        const ticks = await untilTicks(queue, 6)
        expect(ticks.map((ms) => ms % 70)).toEqual(ticks.map(() => 0))
    })

    it("gets one job a tick from five orchestrators on three Configs", async () => {
        const queue = await makeQueue()
        const configs = [queue.config, queue.otherConfig(), queue.otherConfig()]
        for (const config of configs) repeat(config, 100)
        for (const config of [...configs, queue.config, queue.config]) {
            queue.orchestrator({ config, repeatIntervalMs: 20 })
        }
        queue.worker()
        const ticks = await untilTicks(queue, 6)
        expect(new Set(ticks).size).toBe(ticks.length)
        expect(ticks.map((ms) => ms % 100)).toEqual(ticks.map(() => 0))
        const scheduled = queue.events.filter((event) => event.eventType === "orchestrator-job-schedule")
        expect(new Set(scheduled.map(({ jobID }) => jobID)).size).toBe(scheduled.length)
    })

    it("gets one job for all the ticks that were missed, and the next one on the grid", async () => {
        const queue = await makeQueue()
        repeat(queue.config, HOUR_MS)
        const first = queue.orchestrator()
        await untilTicks(queue, 1)
        first.stop()
        await first.join()
        // As if no orchestrator had run for ten hours and a half.
        await queue.sql.query(
            `update ${queue.schema}.job_definition set next_repeat_at = next_repeat_at - interval '11.5 hours'`,
        )
        const { rows } = await queue.sql.query(`select next_repeat_at from ${queue.schema}.job_definition`)
        queue.orchestrator({ repeatIntervalMs: 5 })
        queue.orchestrator({ repeatIntervalMs: 5 })
        await untilTicks(queue, 2)
        const after = await queue.sql.query(
            `select date_part('epoch', next_repeat_at - $1::timestamptz) / 3600 as hours,
                next_repeat_at > clock_timestamp() as is_ahead,
                next_repeat_at <= clock_timestamp() + interval '1 hour' as is_next
            from ${queue.schema}.job_definition`,
            [rows[0]?.next_repeat_at],
        )
        expect(Number(after.rows[0]?.hours)).toBeCloseTo(11, 3)
        expect(after.rows[0]).toMatchObject({ is_ahead: true, is_next: true })
        expect(await queue.jobs()).toHaveLength(2)
    })

    it("does not get a second first job when another orchestrator starts", async () => {
        const queue = await makeQueue()
        repeat(queue.config, HOUR_MS)
        queue.orchestrator({ repeatIntervalMs: 5 })
        await untilTicks(queue, 1)
        const other = queue.otherConfig()
        repeat(other, HOUR_MS)
        repeat(other, 20, "beside")
        queue.orchestrator({ config: other, repeatIntervalMs: 5 })
        // The other orchestrator has repeated several times by now.
        await untilTicks(queue, 3, "beside")
        expect(await ticksOf(queue)).toHaveLength(1)
    })

    it("ticks at its new interval from now on when that is changed", async () => {
        const queue = await makeQueue()
        repeat(queue.config, HOUR_MS)
        const first = queue.orchestrator()
        await untilTicks(queue, 1)
        first.stop()
        await first.join()
        const changed = queue.otherConfig()
        repeat(changed, 60)
        queue.orchestrator({ config: changed, repeatIntervalMs: 60_000 })
        const [, second = 0, ...rest] = await untilTicks(queue, 5)
        expect(second).toBeGreaterThanOrEqual(60)
        expect(rest.map((ms) => Math.round((ms - second) * 1_000) % 60_000)).toEqual(rest.map(() => 0))
    })

    it("is no longer repeated when the interval is taken away", async () => {
        const queue = await makeQueue()
        repeat(queue.config, 20)
        const first = queue.orchestrator()
        await untilTicks(queue, 2)
        first.stop()
        await first.join()
        const numBefore = (await ticksOf(queue)).length
        const changed = queue.otherConfig()
        const once = repeat(changed, null)
        repeat(changed, 20, "beside")
        await once.defer({ payload: {} })
        queue.orchestrator({ config: changed })
        queue.orchestrator({ repeatIntervalMs: 5 })
        await untilTicks(queue, 4, "beside")
        expect(await ticksOf(queue)).toHaveLength(numBefore + 1)
    })

    it("is repeated only where it is registered", async () => {
        const queue = await makeQueue()
        const config = queue.otherConfig()
        repeat(config, 20)
        const first = queue.orchestrator({ config })
        await untilTicks(queue, 2)
        first.stop()
        await first.join()
        const numBefore = (await ticksOf(queue)).length
        repeat(queue.config, 20, "beside")
        queue.orchestrator({ repeatIntervalMs: 5 })
        await untilTicks(queue, 4, "beside")
        expect(await ticksOf(queue)).toHaveLength(numBefore)
    })

    it("may be deferred by hand besides", async () => {
        const queue = await makeQueue()
        const repeating = repeat(queue.config, HOUR_MS)
        queue.worker()
        queue.orchestrator()
        await untilTicks(queue, 1)
        await repeating.defer({ payload: {} })
        await finalized(queue, 2)
    })
})
