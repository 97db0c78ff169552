import { given } from "../arguments.ts"
import { changeCommand } from "../change-command.ts"

/** Cancels jobs. */
export const cancel = changeCommand({
    name: "cancel",
    summary: "cancel jobs, whether they run or not",
    action: "cancel",
    sentence: (what) => `This cancels ${what}, and fails what depends on it.`,
    doneWords: "was cancelled",
    wrongWords: "was over already",
    isDestructive: true,
    options: [{ name: "reason", value: "TEXT", help: "why, for the job and for its history" }],
    details: ["What depends on a job that is cancelled fails. Ends with 1 when one was over, or not found."],
    toChange: ({ args }) => ({ action: "cancel", ...given({ reason: args.text("reason") }) }),
})
