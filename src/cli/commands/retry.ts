import { type DeadLetterFilter, FAILURE_REASONS, type FailureReason } from "../../index.ts"
import { given } from "../arguments.ts"
import type { Command, Context } from "../command.ts"
import { EXIT, UsageError } from "../exit.ts"

/** Replays dead letters. */
export const retry: Command = {
    name: "retry",
    summary: "let jobs that failed for good begin again",
    operands: "[ID…]",
    numOperands: { min: 0, max: 10_000 },
    options: [
        { name: "definition", value: "NAME", help: "without ids: those of this definition" },
        {
            name: "reason",
            value: "REASON",
            help: "those that failed for this reason",
            choices: FAILURE_REASONS,
        },
        { name: "error-text", value: "TEXT", help: "those whose last error has this in its message" },
        { name: "failed-after", value: "WHEN", help: "those that failed then or later" },
        { name: "failed-before", value: "WHEN", help: "those that failed before" },
        { name: "all", help: "all of them" },
        { name: "rate", value: "N", help: "how many of each definition become due in a second" },
        { name: "limit", value: "N", help: "how many at the most" },
        { name: "yes", help: "do not ask" },
    ],
    details: [
        "Jobs keep their ids and payloads, and get the attempts of their definition anew. Without --reason,",
        "those that were cancelled, or failed because of what they depended on, are left. WHEN is as for",
        "cuckmq jobs. Ends with 1 when an id is not one of a job that failed for good.",
    ],
    run: (context) => (context.args.operands.length > 0 ? retryIDs(context) : retryFound(context)),
}

async function retryIDs({ args, out, queue }: Context): Promise<number> {
    const ids = args.ids()
    if (Object.keys(filterOf(args)).length > 0 || ["all", "rate", "limit"].some((name) => args.has(name)))
        throw new UsageError("retry takes ids, or options that choose jobs, and not both")
    const { config } = await queue()
    const replayed: number[] = []
    const notFound: number[] = []
    for (const id of ids) ((await config.jobs.replay(id)) ? replayed : notFound).push(id)
    out.show({ replayed, notFound }, (look) => [
        ...replayed.map((id) => look.line("job ", id, " begins again")),
        ...notFound.map((id) => look.line("job ", id, " is not one that failed for good")),
    ])
    return notFound.length > 0 ? EXIT.problem : EXIT.ok
}

async function retryFound({ args, out, queue, isConfirmed }: Context): Promise<number> {
    const filter = filterOf(args)
    if (Object.keys(filter).length === 0 && !args.has("all"))
        throw new UsageError("retry needs ids, options that choose jobs, or --all")
    const chosen = Object.entries(filter).map(
        ([name, value]) => `${name} ${value instanceof Date ? value.toISOString() : value}`,
    )
    const which = chosen.length === 0 ? "" : ` with ${chosen.join(" and ")}`
    if (!(await isConfirmed(`This lets all jobs begin again that failed for good${which}.`)))
        return EXIT.problem
    const { config } = await queue()
    const bounds = given({ ratePerSecond: args.number("rate"), limit: args.number("limit") })
    const numReplayed = await config.jobs.replayMany({ ...filter, ...bounds })
    out.show({ numReplayed }, (look) => [look.line("jobs that begin again: ", numReplayed)])
    return EXIT.ok
}

function filterOf(args: Context["args"]): DeadLetterFilter {
    return given({
        definition: args.text("definition"),
        reason: args.text("reason") as FailureReason | undefined,
        errorText: args.text("error-text"),
        failedAfter: args.instant("failed-after"),
        failedBefore: args.instant("failed-before"),
    })
}
