import { given } from "../arguments.ts"
import type { Command } from "../command.ts"
import { EXIT } from "../exit.ts"
import { instant, orDash, remark, stateCell } from "../format.ts"
import { CREATED_OPTIONS, FILTER_OPTIONS, filterOf } from "../job-filter.ts"

const COLUMNS = [
    { title: "ID", isNumber: true },
    { title: "DEFINITION" },
    { title: "STATE" },
    { title: "ATTEMPTS", isNumber: true },
    { title: "CREATED" },
    { title: "WORKER" },
    { title: "REMARK" },
]

/** Lists jobs. */
export const jobs: Command = {
    name: "jobs",
    summary: "list jobs, live and finalized, the newest first",
    options: [
        ...FILTER_OPTIONS,
        ...CREATED_OPTIONS,
        { name: "order", value: "ORDER", help: "what comes first", choices: ["newest", "oldest"] },
        { name: "limit", value: "N", help: "how many at the most, 1 to 100; default 50" },
        { name: "after", value: "PLACE", help: "go on where a page ended, at what it said" },
    ],
    details: [
        "WHEN is an instant, such as 2026-01-31T12:00:00Z, or how long ago, such as 90s, 15m, 2h or 1d.",
        "A page looks through a bounded number of jobs, so it may be short although there are more.",
    ],
    run: async ({ args, out, queue }) => {
        const options = {
            ...filterOf(args),
            ...given({
                createdAfter: args.instant("created-after"),
                createdBefore: args.instant("created-before"),
                order: args.text("order") as "newest" | "oldest" | undefined,
                limit: args.number("limit"),
                after: args.text("after"),
            }),
        }
        const { inspector } = await queue()
        const page = await inspector.jobs(options)
        out.show(page, (look) => [
            ...look.table(
                COLUMNS,
                page.jobs.map((job) => [
                    job.jobID,
                    job.definition,
                    stateCell(job.state),
                    job.numAttemptsUsed,
                    instant(job.createdAt),
                    orDash(job.worker),
                    remark(job),
                ]),
            ),
            ...(page.next === null ? [] : [look.line("more: --after ", page.next)]),
        ])
        return EXIT.ok
    },
}
