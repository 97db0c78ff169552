import { describe, expect, it } from "vitest"
import { coreOf } from "../../src/config.ts"
import { CronRules } from "../../src/cron/cron-rules.ts"
import { planTicks } from "../../src/cron/plan-ticks.ts"
import type { Config } from "../../src/index.ts"
import { findDueRepeats } from "../../src/statements/find-due-repeats.ts"
import { type CronPlan, repeatJobs } from "../../src/statements/repeat-jobs.ts"
import { defineTicking, dueTimes, setTick, yearly } from "../support/schedules.ts"
import { openDirectSession } from "../support/transaction.ts"
import { eventually, hasServer, makeQueue, type Queue } from "../support/with-schema.ts"

const TICK = new Date("2026-01-01T00:00:00Z")

/** The two halves of what an orchestrator does about schedules that are due. */
function orchestratorOf(config: Config) {
    const { run, schema } = coreOf(config)
    const query = { run, schema, source: "schedule" as const }
    return {
        look: () => findDueRepeats({ ...query, definitionIDs: [], limit: 100 }),
        fire: (due: Awaited<ReturnType<typeof findDueRepeats>>) => {
            const plans = due.flatMap(({ id, cron, tickS, nowS, onMissed }): CronPlan[] => {
                if (cron === null) return []
                const times = { tickMs: Number(tickS) * 1_000, nowMs: nowS * 1_000 }
                return [
                    {
                        id,
                        cron,
                        tickS,
                        ...planTicks({ rule: new CronRules().read(cron), ...times, onMissed }),
                    },
                ]
            })
            return repeatJobs({ ...query, ids: due.map(({ id }) => id), plans })
        },
    }
}

async function makeDue(rule: object): Promise<Queue> {
    const queue = await makeQueue()
    await yearly(queue, { cron: undefined as never, ...rule })
    await setTick(queue, TICK)
    return queue
}

describe.each([
    ["a cron expression", { cron: { expression: "0 0 1 1 *" } }],
    ["an interval", { intervalMs: 365 * 86_400_000 }],
])("a tick of %s", (_what, rule) => {
    it("gets one job from two orchestrators that have both seen it", async () => {
        const queue = await makeDue(rule)
        const [one, other] = [orchestratorOf(queue.config), orchestratorOf(queue.otherConfig())]
        const [seen, seenToo] = [await one.look(), await other.look()]
        expect(seen).toHaveLength(1)
        expect(await one.fire(seen)).toMatchObject([{ scheduleName: "yearly", jobName: "job" }])
        expect(await other.fire(seenToo)).toEqual([])
        expect(await dueTimes(queue)).toEqual([TICK.getTime()])
    })

    it("gets one job from two orchestrators that fire it at the same moment", async () => {
        const queue = await makeDue(rule)
        const both = [orchestratorOf(queue.config), orchestratorOf(queue.otherConfig())]
        const seen = await Promise.all(both.map(({ look }) => look()))
        const fired = await Promise.all(both.map(({ fire }, i) => fire(seen[i] ?? [])))
        expect(fired.flat()).toHaveLength(1)
        expect(await dueTimes(queue)).toEqual([TICK.getTime()])
    })

    it("is left for the next orchestrator by one that dies after it has seen it", async () => {
        const queue = await makeDue(rule)
        await orchestratorOf(queue.otherConfig()).look()
        queue.orchestrator()
        await eventually(async () => (await dueTimes(queue)).length === 1)
    })

    it("is not fired by a plan for a schedule that was paused or removed since", async () => {
        const queue = await makeDue(rule)
        const orchestrator = orchestratorOf(queue.config)
        const seen = await orchestrator.look()
        await queue.config.schedules.pause("yearly")
        expect(await orchestrator.fire(seen)).toEqual([])
        await queue.config.schedules.remove("yearly")
        expect(await orchestrator.fire(seen)).toEqual([])
        expect(await queue.jobs()).toEqual([])
    })

    it.skipIf(!hasServer())("is fired once someone else lets go of it, and others meanwhile", async () => {
        const queue = await makeDue(rule)
        const holder = await openDirectSession()
        await holder.query("begin")
        await holder.query(`select from ${queue.schema}.schedule for update`)
        queue.orchestrator()
        const beside = defineTicking(queue, { name: "beside" })
        await queue.config.schedules.upsert({
            name: "beside",
            definition: beside,
            payload: {},
            intervalMs: 20,
        })
        await eventually(async () => (await dueTimes(queue, "beside")).length > 2)
        expect(await dueTimes(queue)).toEqual([])
        await holder.query("rollback")
        await eventually(async () => (await dueTimes(queue)).length === 1)
    })
})

it("a plan for another expression than the schedule has by now does nothing, even at the same tick", async () => {
    const queue = await makeDue({ cron: { expression: "0 0 1 1 *" } })
    const orchestrator = orchestratorOf(queue.config)
    const seen = await orchestrator.look()
    await yearly(queue, {
        definition: defineTicking(queue, { name: "other" }),
        cron: { expression: "* * * * * *" },
    })
    await setTick(queue, TICK)
    expect(await orchestrator.fire(seen)).toEqual([])
    expect(await orchestrator.fire(await orchestrator.look())).toHaveLength(1)
})

it("an expression that this process cannot read is told of, and holds up no other schedule", async () => {
    const queue = await makeDue({ cron: { expression: "0 0 1 1 *" } })
    await queue.sql.query(`update ${queue.schema}.schedule set repeat_time_zone = 'Mars/Olympus'`)
    const beside = defineTicking(queue, { name: "beside" })
    await queue.config.schedules.upsert({
        name: "beside",
        definition: beside,
        payload: {},
        intervalMs: 3_600_000,
    })
    queue.orchestrator()
    await eventually(async () => (await dueTimes(queue, "beside")).length === 1)
    await eventually(() =>
        queue.events.some((event) => event.eventType === "daemon-error" && event.activity === "repeat jobs"),
    )
    expect(await dueTimes(queue)).toEqual([])
})
