import { JobDefinition, Orchestrator } from "cuckmq"
import { config, workUntil } from "./queue.ts"

/** On a grid, by a cron expression in a time zone, and one that is made at run time. */
const poll = new JobDefinition({
    config,
    name: "poll",
    repeatIntervalMs: 60 * 60 * 1_000,
    onOverlap: "skip",
    jobFunction: async () => undefined,
})
const close = new JobDefinition({
    config,
    name: "close-of-day",
    repeatCron: { expression: "30 2 * * *", timeZone: "Europe/Berlin" },
    onMissed: "all",
    jobFunction: async () => undefined,
})
const remind = new JobDefinition({
    config,
    name: "remind",
    // A tenth of a second apart, however many there are.
    releaseIntervalMs: 100,
    jobFunction: async (payload: { to: string }, context) => {
        console.log(`reminded ${payload.to}: ${context.dueAt <= new Date()}`)
    },
})

export async function showTimes(): Promise<void> {
    for (const definition of [poll, close, remind]) definition.register()
    const orchestrator = new Orchestrator({ config })
    const cron = { expression: "30 2 * * *", timeZone: "Europe/Berlin" }
    await config.schedules.upsert({
        name: "ada",
        definition: remind,
        payload: { to: "ada" },
        cron,
        onMissed: "skip",
    })
    await config.schedules.runNow("ada")
    // Besides the reminder there is the first tick of the poll.
    await workUntil(2)
    await config.schedules.pause("ada")
    for (const { name, isPaused } of await config.schedules.list()) console.log(name, { isPaused })
    const from = new Date("2026-03-27T12:00:00Z")
    for (const time of config.schedules.preview({ cron, count: 3, from })) console.log(time.toISOString())
    orchestrator.stop()
    await orchestrator.join()
}
