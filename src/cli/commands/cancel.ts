import type { CancelResult } from "../../index.ts"
import { given } from "../arguments.ts"
import type { Command } from "../command.ts"
import { EXIT } from "../exit.ts"

const WORDS: Record<CancelResult, string> = {
    cancelled: "was cancelled",
    cancelling: "runs, and its worker is being told to end it",
    finalized: "was over already",
    "not-found": "was not found",
}

/** Cancels jobs. */
export const cancel: Command = {
    name: "cancel",
    summary: "cancel jobs, whether they run or not",
    operands: "ID…",
    numOperands: { min: 1, max: 10_000 },
    options: [
        { name: "reason", value: "TEXT", help: "why, for the job and for its history" },
        { name: "yes", help: "do not ask" },
    ],
    details: ["What depends on a job that is cancelled fails. Ends with 1 when one was not found."],
    run: async ({ args, out, queue, isConfirmed }) => {
        const ids = args.ids()
        const what = ids.length === 1 ? `job ${ids[0]}` : `${ids.length} jobs`
        if (!(await isConfirmed(`This cancels ${what}, and fails what depends on it.`))) return EXIT.problem
        const { config } = await queue()
        const done = await config.jobs.cancelMany(ids, given({ reason: args.text("reason") }))
        const results = ids.map((jobID, index) => ({ jobID, result: done[index] ?? ("not-found" as const) }))
        out.show({ results }, (look) =>
            results.map(({ jobID, result }) => look.line("job ", jobID, " ", WORDS[result])),
        )
        return done.includes("not-found") ? EXIT.problem : EXIT.ok
    },
}
