import { changeCommand } from "../change-command.ts"

/** Makes jobs due. */
export const runNow = changeCommand({
    name: "run-now",
    summary: "make jobs due that are delayed, or wait for their next attempt",
    action: "run-now",
    sentence: (what) => `This makes ${what} due now.`,
    doneWords: "is due now",
    wrongWords: "is not delayed",
    isDestructive: false,
    details: ["Asks only without ids. Ends with 1 when a job is not delayed, or not found."],
    toChange: () => ({ action: "run-now" }),
})
