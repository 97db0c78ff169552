import { FAILURE_REASONS, type FailureReason } from "../../index.ts"
import { given } from "../arguments.ts"
import { changeCommand } from "../change-command.ts"
import type { Command } from "../command.ts"

/** Replays dead letters. */
export const retry: Command = changeCommand({
    name: "retry",
    summary: "let jobs that failed for good begin again",
    action: "replay",
    sentence: (what) => `This lets ${what} begin again, of those that failed for good.`,
    doneWords: "begins again",
    wrongWords: "is not one that failed for good",
    isDestructive: false,
    without: ["key", "state"],
    filterOptions: [
        {
            name: "reason",
            value: "REASON",
            help: "those that failed for this reason",
            choices: FAILURE_REASONS,
        },
        { name: "failed-after", value: "WHEN", help: "those that failed then or later" },
        { name: "failed-before", value: "WHEN", help: "those that failed before" },
    ],
    options: [{ name: "rate", value: "N", help: "how many of each definition become due in a second" }],
    details: [
        "Jobs keep their ids and payloads, and get the attempts of their definition anew. Without ids and",
        "--reason, those that were cancelled, or failed because of what they depended on, are left. Asks only",
        "without ids. Ends with 1 when an id is not one of a job that failed for good.",
    ],
    toChange: ({ args }) => ({ action: "replay", ...given({ ratePerSecond: args.number("rate") }) }),
    toFilter: (args) =>
        given({
            reason: args.text("reason") as FailureReason | undefined,
            finalizedAfter: args.instant("failed-after"),
            finalizedBefore: args.instant("failed-before"),
        }),
})
