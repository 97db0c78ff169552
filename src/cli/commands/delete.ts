import { changeCommand } from "../change-command.ts"

/** Deletes jobs. */
export const deleteJobs = changeCommand({
    name: "delete",
    summary: "remove finalized jobs from history, for good",
    action: "delete",
    sentence: (what) => `This removes ${what} from history, with payload, result and errors.`,
    doneWords: "was deleted",
    wrongWords: "is not over: cancel it first",
    isDestructive: true,
    without: ["key"],
    details: ["Ends with 1 when a job is not over, or not found."],
    toChange: () => ({ action: "delete" }),
})
