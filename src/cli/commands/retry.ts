import { type DeadLetterFilter, FAILURE_REASONS, type FailureReason } from "../../index.ts"
import { given } from "../arguments.ts"
import { type ChangeCommand, changeCommand, changeFilter } from "../change-command.ts"
import type { Command, Context } from "../command.ts"
import { EXIT, UsageError } from "../exit.ts"

const MADE: ChangeCommand = {
    name: "retry",
    summary: "let jobs that failed for good begin again",
    action: "replay",
    sentence: (what) => `This lets ${what} begin again, of those that failed for good.`,
    doneWords: "begins again",
    wrongWords: "is not one that failed for good",
    isDestructive: false,
    without: ["key", "state"],
    options: [
        {
            name: "reason",
            value: "REASON",
            help: "those that failed for this reason",
            choices: FAILURE_REASONS,
        },
        { name: "failed-after", value: "WHEN", help: "those that failed then or later" },
        { name: "failed-before", value: "WHEN", help: "those that failed before" },
        { name: "rate", value: "N", help: "how many of each definition become due in a second" },
        { name: "limit", value: "N", help: "how many at the most" },
    ],
    details: [
        "Jobs keep their ids and payloads, and get the attempts of their definition anew. Without ids and",
        "--reason, those that were cancelled, or failed because of what they depended on, are left. With one",
        "of --reason, --failed-after, --failed-before, --rate and --limit, this process replays them itself,",
        "before it ends. Asks only without ids. Ends with 1 when an id is not one of a job that failed for good.",
    ],
    toChange: () => ({ action: "replay" }),
}

const OWN = ["reason", "failed-after", "failed-before", "rate", "limit"]
const NOT_OF_DEAD_LETTERS = ["channel", "payload", "created-after", "created-before", "wait"]

const made = changeCommand(MADE)

/** Replays dead letters. */
export const retry: Command = {
    ...made,
    run: (context) => {
        const own = OWN.filter((name) => context.args.has(name))
        if (own.length === 0) return made.run(context)
        const others = NOT_OF_DEAD_LETTERS.filter((name) => context.args.has(name))
        if (others.length > 0 || context.args.operands.length > 0)
            throw new UsageError(
                `--${own[0]} does not go with ${others[0] === undefined ? "ids" : `--${others[0]}`}`,
            )
        return replayFound(context)
    },
}

/** By what is known of dead letters only. */
async function replayFound({ args, out, queue, isConfirmed }: Context): Promise<number> {
    const { definition, errorText } = changeFilter(args)
    const filter: DeadLetterFilter = given({
        definition,
        errorText,
        reason: args.text("reason") as FailureReason | undefined,
        failedAfter: args.instant("failed-after"),
        failedBefore: args.instant("failed-before"),
    })
    if (Object.keys(filter).length === 0 && !args.has("all"))
        throw new UsageError("retry needs ids, options that choose jobs, or --all")
    const which = Object.keys(filter).length === 0 ? "" : ` with ${JSON.stringify(filter)}`
    if (!(await isConfirmed(MADE.sentence(`all jobs${which}`)))) return EXIT.problem
    const { config } = await queue()
    const bounds = given({ ratePerSecond: args.number("rate"), limit: args.number("limit") })
    const numReplayed = await config.jobs.replayMany({ ...filter, ...bounds })
    out.show({ numReplayed }, (look) => [look.line("jobs that begin again: ", numReplayed)])
    return EXIT.ok
}
