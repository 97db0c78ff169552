import { Config, type EventHandler, Orchestrator, Worker } from "cuckmq"
import { serveDashboard } from "cuckmq/dashboard"
import { type DemoDatabase, openDatabase, SCHEMA } from "./database.ts"
import { deferJobs } from "./defer-jobs.ts"
import { defineJobs } from "./definitions.ts"
import { Interruption } from "./interruption.ts"
import { bold, dim } from "./paint.ts"
import { Progress } from "./progress.ts"
import { Screen } from "./screen.ts"
import { summaryLines } from "./summary.ts"
import { duration, frameLines, progressLine } from "./view.ts"

/** `npm run demo -- --dashboard` serves it as well, and goes on doing so when all jobs have ended. */
const IS_SERVING = process.argv.includes("--dashboard")

/** How long running jobs may take to end when the demo is stopped. */
const GRACE_MS = 3_000

/** Runs the demo and sets the exit code. */
export async function main(): Promise<void> {
    const screen = new Screen()
    const interruption = new Interruption()
    screen.print([
        "",
        `${bold("cuckmq")} ${dim("a job queue on PostgreSQL, at work on its own repository")}`,
        "",
    ])
    let database: DemoDatabase | undefined
    try {
        const startMs = performance.now()
        if (!process.env.DATABASE_URL) screen.print([dim("Starting PGlite, which takes a few seconds…")])
        database = await openDatabase()
        screen.print([
            `Database  ${database.label} ${dim(`ready in ${duration(performance.now() - startMs)}`)}`,
        ])
        await runJobs({ database, screen, interruption })
    } catch (error) {
        screen.print([`The demo failed: ${reasonOf(error)}`])
        process.exitCode = 1
        return
    } finally {
        await database?.end()
    }
    process.exitCode = interruption.exitCode
}

function reasonOf(error: unknown): string {
    if (!(error instanceof Error)) return String(error)
    // A connection that was refused under several addresses is an error without a message.
    return error.message || ("code" in error ? String(error.code) : error.name)
}

async function runJobs(params: {
    database: DemoDatabase
    screen: Screen
    interruption: Interruption
}): Promise<void> {
    const { database, screen, interruption } = params
    const config = new Config({ pool: database.pool, schema: SCHEMA })
    await config.prepareSchema()
    const server = IS_SERVING ? await serveDashboard({ config }) : undefined
    if (server !== undefined) screen.print([`Dashboard ${server.url}`])
    try {
        await runQueue({ ...params, config })
        if (server === undefined || interruption.isRequested) return
        screen.print(["", `The dashboard stays at ${server.url} until Ctrl-C.`])
        await interruption.requested
        interruption.exitCode = 0
    } finally {
        await server?.close()
    }
}

/** Runs all jobs to their ends, or until the demo is stopped. */
async function runQueue(params: {
    config: Config
    database: DemoDatabase
    screen: Screen
    interruption: Interruption
}): Promise<void> {
    const { config, database, screen, interruption } = params
    const jobs = defineJobs({ config, database, print: (lines) => screen.printApart(lines) })
    const definitions = Object.values(jobs)
    for (const definition of definitions) definition.register()
    const names = definitions.map((definition) => definition.name)

    const progress = new Progress()
    const { numJobs, tookMs } = await deferJobs({ jobs, progress })
    screen.print([`Deferred  ${numJobs} jobs ${dim(`in ${duration(tookMs)}`)}`])

    const eventHandler: EventHandler = ({ event }) => progress.hear(event)
    const daemons = [
        new Worker({ config, name: "worker-1", concurrency: 4, eventHandler }),
        new Worker({ config, name: "worker-2", concurrency: 4, eventHandler }),
        new Orchestrator({ config, eventHandler }),
    ]
    const stopShowing = show({ screen, progress, names, interruption })

    await Promise.race([progress.allEnded, interruption.requested])
    if (interruption.isRequested) screen.print(["Stopping: what runs may end, the rest stays in the queue."])
    for (const daemon of daemons) daemon.stop()
    await Promise.all(daemons.map((daemon) => daemon.join({ graceMs: GRACE_MS })))

    stopShowing()
    screen.print(await summaryLines({ database, names, elapsedMs: progress.elapsedMs }))
}

/** Shows how it goes until it is told not to: a live view on a terminal, elsewhere a line a second. */
function show(params: {
    screen: Screen
    progress: Progress
    names: string[]
    interruption: Interruption
}): () => void {
    const { screen, progress, names, interruption } = params
    const showNow = () => {
        const hint = interruption.isRequested ? "Ctrl-C again ends at once" : "Ctrl-C stops gracefully"
        if (screen.isLive) screen.draw(frameLines({ progress, names, hint, columns: screen.columns }))
        else screen.print([progressLine(progress, names)])
    }
    const timer = setInterval(showNow, screen.isLive ? 80 : 1_000)
    showNow()
    return () => {
        clearInterval(timer)
        showNow()
        if (screen.isLive) screen.leave()
    }
}
