import type { ListedJob } from "../../index.ts"
import type { Command, Context } from "../command.ts"
import { EXIT } from "../exit.ts"
import { orDash, remark, stateCell } from "../format.ts"
import { FILTER_OPTIONS, filterOf } from "../job-filter.ts"
import { JobWatch } from "../job-watch.ts"
import { type Look, paint } from "../look.ts"

const INTERVAL_MS = 1_000
const PAGE = 100
const DEFAULT_LINES = 10

/** Follows the queue. */
export const tail: Command = {
    name: "tail",
    summary: "print jobs as they come and change, until interrupted",
    isLive: true,
    options: [
        ...FILTER_OPTIONS,
        { name: "lines", value: "N", help: "how many of the newest to begin with; default 10" },
    ],
    details: [
        "Looks once a second, at the newest 100 jobs and at up to 100 that run, in turns. What comes and",
        "goes between two looks is seen as it is by then, and of more than 100 jobs a second some are not",
        "seen at all.",
    ],
    run: async (context) => {
        const { args, out, io } = context
        const filter = filterOf(args)
        const numLines = args.number("lines") ?? DEFAULT_LINES
        const { inspector } = await context.queue()
        const watch = new JobWatch()
        for (let look = 0; !io.signal.aborted; look++) {
            const isOfRunning = look % 2 === 1 && filter.state === undefined
            const page = await inspector.jobs({
                ...filter,
                limit: PAGE,
                ...(isOfRunning ? { state: "running" } : {}),
            })
            if (io.signal.aborted) break
            if (isOfRunning)
                print(context, look === 1 ? watch.changedOfKnown(page.jobs) : watch.changed(page.jobs))
            else {
                const isGap = look > 0 && page.next !== null && !watch.knowsAny(page.jobs)
                if (isGap) out.note("more jobs came than are shown")
                const changed = watch.changed(page.jobs)
                print(
                    context,
                    look === 0 ? changed.slice(changed.length - Math.min(changed.length, numLines)) : changed,
                )
            }
            await io.wait(INTERVAL_MS)
        }
        return EXIT.interrupted
    },
}

function print({ out }: Context, jobs: readonly ListedJob[]): void {
    for (const job of jobs) out.showNext(job, (look) => [lineOf(job, look)])
}

function lineOf(job: ListedJob, look: Look): string {
    const at = job.finalizedAt ?? job.claimedAt ?? job.createdAt
    return look.line(
        paint("dim", at.toISOString()),
        ` ${job.jobID} ${job.definition} `,
        stateCell(job.state),
        ` attempt ${job.numAttemptsUsed} worker ${orDash(job.worker)} `,
        paint("dim", remark(job)),
    )
}
