/**
 * Reminders at a time of day that each user chooses, in their own time zone: one schedule a user, written in the same
 * transaction as the user's choice. Shows what a change of the clocks does to one of them.
 */
import { Config, JobDefinition, Orchestrator, Worker } from "cuckmq"
import { Pool } from "pg"

const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const config = new Config({ pool })
await config.prepareSchema()
await pool.query("create table reminder (email text primary key, at text, time_zone text)")

let numSent = 0
const remind = new JobDefinition({
    config,
    name: "remind",
    jobFunction: async (payload: { email: string }) => {
        console.log(`reminded ${payload.email}`)
        if (++numSent === 2) for (const daemon of daemons) daemon.stop()
    },
})
remind.register()

/** Writes the choice and the schedule down, or neither. */
async function choose(email: string, at: string, timeZone: string): Promise<void> {
    const [hour, minute] = at.split(":").map(Number)
    const client = await pool.connect()
    try {
        await client.query("begin")
        await client.query("insert into reminder values ($1, $2, $3)", [email, at, timeZone])
        await config.schedules.upsert({
            name: `reminder of ${email}`,
            definition: remind,
            payload: { email },
            cron: { expression: `${minute} ${hour} * * *`, timeZone },
            onMissed: "skip",
            client,
        })
        await client.query("commit")
    } catch (error) {
        await client.query("rollback")
        throw error
    } finally {
        client.release()
    }
}

await choose("ada@example.org", "02:30", "Europe/Berlin")
await choose("bob@example.org", "09:00", "Asia/Kathmandu")
await choose("bob@example.org", "10:00", "UTC").catch((error) => console.log(`refused: ${error.message}`))

for (const { name, cron } of await config.schedules.list())
    console.log(`${name}: ${cron?.expression} in ${cron?.timeZone}`)

// In the night to 29 March, clocks in Berlin go from 02:00 to 03:00.
const cron = { expression: "30 2 * * *", timeZone: "Europe/Berlin" }
for (const time of config.schedules.preview({ cron, count: 3, from: new Date("2026-03-28T00:00:00Z") }))
    console.log(time.toLocaleString("en-GB", { timeZone: cron.timeZone }))

const daemons = [new Worker({ config }), new Orchestrator({ config })]
for (const { name } of await config.schedules.list()) await config.schedules.runNow(name)
await Promise.all(daemons.map((daemon) => daemon.join()))
await pool.end()
