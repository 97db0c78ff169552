import type { Command } from "../command.ts"
import { EXIT } from "../exit.ts"
import { logLine } from "./job.ts"

const INTERVAL_MS = 1_000
const PAGE = 1_000

/** What a job has logged. */
export const logs: Command = {
    name: "logs",
    summary: "print what one job has logged",
    operands: "ID",
    numOperands: { min: 1, max: 1 },
    isLive: true,
    options: [{ name: "follow", help: "go on until the job is finalized, or until interrupted" }],
    details: [
        "Prints the last 1,000 lines of the job, the oldest first: when, in which attempt, and what. With",
        "--follow it looks once a second, and once more after the job is finalized. Ends with 1 when there is",
        "no such job.",
    ],
    run: async ({ args, out, io, queue }) => {
        const [id = 0] = args.ids()
        const { inspector } = await queue()
        let after: string | null = null
        let wasFinalized = false
        while (!io.signal.aborted) {
            // Before its lines are read: what it logged is there when it is finalized.
            const job = await inspector.job(id)
            if (job === null) {
                out.note(`there is no job ${id}`)
                return EXIT.problem
            }
            let isMore = true
            while (isMore && !io.signal.aborted) {
                const page = await inspector.logs(id, { limit: PAGE, ...(after === null ? {} : { after }) })
                for (const one of page.logs) out.showNext(one, (look) => [logLine(one, look)])
                after = page.place ?? after
                isMore = page.next !== null
            }
            // A run that had lost its claim, or that logged after its end, may write later than the finalization.
            if (!args.has("follow") || wasFinalized) return EXIT.ok
            wasFinalized = job.outcome !== null
            await io.wait(INTERVAL_MS)
        }
        return EXIT.interrupted
    },
}
