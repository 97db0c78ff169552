/**
 * Proves that a tick yields one job: schedules of one tick a second, by cron expressions and by intervals, and several
 * orchestrators of which one at random is killed every second or two and started again.
 * `node ticks.ts [--seconds 60] [--schedules 30] [--orchestrators 5]`. Exit code 1: a tick was lost, or fired twice.
 */
import { type ChildProcess, fork } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Config, JobDefinition, Orchestrator } from "cuckmq"
import pg from "pg"
import { Cluster } from "./servers/cluster.ts"

const SCHEMA = "ticks"
const KILL_EVERY_MS = [1_000, 2_000] as const

const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
        seconds: { type: "string", default: "60" },
        schedules: { type: "string", default: "30" },
        orchestrators: { type: "string", default: "5" },
    },
})

if (positionals[0] === "orchestrator") orchestrate(String(positionals[1]))
else process.exit((await main()) ? 0 : 1)

/** A process of its own, until it is killed. */
function orchestrate(connectionString: string): void {
    const config = new Config({ pool: new pg.Pool({ connectionString, max: 2 }), schema: SCHEMA })
    new Orchestrator({ config, repeatIntervalMs: 1_000 })
}

async function main(): Promise<boolean> {
    const folder = mkdtempSync(join(tmpdir(), "cuckmq-ticks-"))
    const cluster = await Cluster.start("test", folder)
    process.once("exit", () => cluster.kill())
    const children = new Map<number, ChildProcess>()
    try {
        await makeSchedules(cluster, Number(values.schedules))
        const start = (at: number) =>
            children.set(at, fork(import.meta.filename, ["orchestrator", cluster.connectionString]))
        for (let at = 0; at < Number(values.orchestrators); at++) start(at)
        const untilMs = performance.now() + Number(values.seconds) * 1_000
        let numKills = 0
        while (performance.now() < untilMs) {
            const [least, most] = KILL_EVERY_MS
            await new Promise((resolve) => setTimeout(resolve, least + Math.random() * (most - least)))
            const at = Math.floor(Math.random() * children.size)
            children.get(at)?.kill("SIGKILL")
            numKills += 1
            start(at)
        }
        return await judge(cluster, numKills)
    } finally {
        for (const child of children.values()) child.kill("SIGKILL")
        await cluster.destroy()
        rmSync(folder, { recursive: true, force: true })
    }
}

/** With `all`, a tick that comes while nobody is there must be made up for. */
async function makeSchedules(cluster: Cluster, num: number): Promise<void> {
    const pool = new pg.Pool({ connectionString: cluster.connectionString, max: 2 })
    const config = new Config({ pool, schema: SCHEMA })
    await config.prepareSchema()
    const definition = new JobDefinition({
        config,
        name: "tick",
        jobFunction: (_: { schedule: number }) => undefined,
    })
    for (let schedule = 1; schedule <= num; schedule++)
        await config.schedules.upsert({
            name: `schedule ${schedule}`,
            definition,
            payload: { schedule },
            onMissed: "all",
            ...(schedule % 2 === 0 ? { intervalMs: 1_000 } : { cron: { expression: "* * * * * *" } }),
        })
    await pool.end()
}

/** Of each schedule, every tick from its first job to its next tick must have a job, and only one. */
async function judge(cluster: Cluster, numKills: number): Promise<boolean> {
    const { rows } = await cluster.admin.query(`
        select
            sum(num_ticks)::int as ticks, sum(num_jobs)::int as jobs,
            sum(num_ticks - num_due)::int as missing, sum(num_jobs - num_due)::int as doubles,
            sum(num_off)::int as off_grid, max(latest_ms)::int as latest_ms
        from (
            select
                round(extract(epoch from schedule.next_repeat_at - min(job.due_at))) as num_ticks,
                count(*) as num_jobs, count(distinct job.due_at) as num_due,
                count(*) filter (
                    where extract(epoch from schedule.next_repeat_at - job.due_at) % 1 <> 0
                ) as num_off,
                max(extract(epoch from job.created_at - job.due_at) * 1000) as latest_ms
            from ${SCHEMA}.schedule
            join ${SCHEMA}.job on (job.payload->>'schedule')::int = substring(schedule.name from '\\d+')::int
            group by schedule.id
        ) as schedule`)
    const result = rows[0]
    console.log(
        `${result.ticks} ticks, ${result.jobs} jobs, ${numKills} orchestrators killed: ${result.missing} missing, ` +
            `${result.doubles} double, ${result.off_grid} off the grid, the latest ${result.latest_ms} ms after its tick`,
    )
    return result.ticks > 0 && result.missing === 0 && result.doubles === 0 && result.off_grid === 0
}
