import { changeCommand } from "../change-command.ts"
import { UsageError } from "../exit.ts"

/** Changes the priority of jobs. */
export const setPriority = changeCommand({
    name: "set-priority",
    summary: "give jobs that are not over another priority",
    action: "set-priority",
    sentence: (what) => `This gives ${what} another priority.`,
    doneWords: "has the priority",
    wrongWords: "was over already",
    isDestructive: false,
    options: [
        { name: "priority", value: "N", help: "-1000 to 1000: the smaller, the sooner; as --priority=-5" },
    ],
    details: ["Asks only without ids. Ends with 1 when a job was over, or not found."],
    toChange: ({ args }) => {
        const priority = args.number("priority")
        if (priority === undefined) throw new UsageError("set-priority needs --priority")
        return { action: "set-priority", priority }
    },
})
