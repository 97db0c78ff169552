import { changeCommand } from "../change-command.ts"
import { UsageError } from "../exit.ts"

/** Changes when jobs are due. */
export const setDueTime = changeCommand({
    name: "set-due-time",
    summary: "have jobs that are ready or delayed be due at another time",
    action: "set-due-time",
    sentence: (what) => `This has ${what} be due at another time.`,
    doneWords: "has the due time",
    wrongWords: "is neither ready nor delayed",
    isDestructive: false,
    options: [{ name: "due", value: "TIME", help: "an instant, or in how long, such as 15m, 2h or 1d" }],
    details: ["Asks only without ids. Ends with 1 when a job is neither ready nor delayed, or not found."],
    toChange: ({ args }) => {
        const dueAt = args.timeToCome("due")
        if (dueAt === undefined) throw new UsageError("set-due-time needs --due")
        return { action: "set-due-time", dueAt }
    },
})
