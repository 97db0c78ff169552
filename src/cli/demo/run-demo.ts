import { type Daemon, type EventHandler, Orchestrator, Worker } from "../../index.ts"
import type { Context } from "../command.ts"
import { EXIT } from "../exit.ts"
import { Limit } from "../limit.ts"
import { paint } from "../look.ts"
import type { OwnQueue } from "../own-queue.ts"
import { deferJobs } from "./defer-jobs.ts"
import { defineJobs } from "./definitions.ts"
import { Progress } from "./progress.ts"
import { reportLines } from "./report.ts"
import type { Screen } from "./screen.ts"
import { summarize, summaryLines } from "./summary.ts"
import { duration, frameLines, progressLine } from "./view.ts"

/** How long running jobs may take to end when the demo is stopped. */
const GRACE_MS = 3_000

/** The jobs take five seconds. When they do not end within this time, something is the matter. */
const MAX_MS = 180_000

/** How often what is shown is drawn anew; and how often a line is printed where nothing can be drawn. */
const FRAME_MS = 80
const LINE_MS = 1_000

/** The connections of two workers, an orchestrator, and a dashboard. */
export const NUM_CONNECTIONS = 6

/** Runs all jobs to their ends, or until the demo is stopped, and says what became of them. */
export async function runDemo(params: {
    context: Context
    queue: OwnQueue
    screen: Screen
    /** Whether everything goes on until it is interrupted, for those who look at the dashboard. */
    isServing: boolean
}): Promise<number> {
    const { context, queue, screen, isServing } = params
    const { config, inspector } = queue
    const { io, out } = context
    const jobs = defineJobs({
        config,
        inspector,
        onReport: (files) => screen.printApart(() => reportLines(files, out.look)),
    })
    const definitions = Object.values(jobs)
    for (const definition of definitions) definition.register()
    const names = definitions.map((definition) => definition.name)

    const progress = new Progress()
    const { numJobs, tookMs } = await deferJobs({ jobs, progress })
    screen.print((look) => [look.line(`Deferred  ${numJobs} jobs `, paint("dim", `in ${duration(tookMs)}`))])

    const daemons = daemonsOf(queue, ({ event }) => progress.hear(event))
    const hint = () => (io.signal.aborted ? "Ctrl-C again ends at once" : "Ctrl-C stops gracefully")
    const stopShowing = screen.show({
        everyMs: screen.isLive ? FRAME_MS : LINE_MS,
        toFrame: (look) => frameLines({ progress, names, hint: hint(), look }),
        toLine: () => progressLine(progress, names),
    })
    const limit = new Limit({ ms: MAX_MS, signal: io.signal })
    const haveEnded = await limit.isInTime(progress.allEnded).catch(() => false)
    const { elapsedMs } = progress
    if (io.signal.aborted)
        screen.print((look) => [look.line("Stopping: what runs may end, the rest stays in the queue.")])
    if (!isServing || !haveEnded) await stopped(daemons)
    stopShowing()
    try {
        const summary = await summarize(inspector, names)
        screen.tell({ schema: config.schema, elapsedMs: Math.round(elapsedMs), ...summary }, (look) =>
            summaryLines(summary, elapsedMs, look),
        )
        if (!haveEnded) return io.signal.aborted ? EXIT.interrupted : EXIT.problem
        if (isServing) {
            screen.print((look) => ["", look.line("The workers and the dashboard go on until Ctrl-C.")])
            await screen.untilInterrupted()
        }
        return EXIT.ok
    } finally {
        await stopped(daemons)
    }
}

function daemonsOf({ config }: OwnQueue, eventHandler: EventHandler): Daemon[] {
    return [
        new Worker({ config, name: "worker-1", concurrency: 4, eventHandler }),
        new Worker({ config, name: "worker-2", concurrency: 4, eventHandler }),
        new Orchestrator({ config, eventHandler }),
    ]
}

async function stopped(daemons: readonly Daemon[]): Promise<void> {
    for (const daemon of daemons) daemon.stop()
    await Promise.all(daemons.map((daemon) => daemon.join({ graceMs: GRACE_MS })))
}
