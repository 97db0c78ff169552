import type { Command } from "../command.ts"
import { EXIT } from "../exit.ts"
import { readStatus, statusLines } from "../status-view.ts"

/** How the queue is. */
export const status: Command = {
    name: "status",
    summary: "count jobs by definition and state, and say who works",
    details: [
        "OLDEST is how long the ready job that has been due for longest has waited. A number after ~ is",
        "an estimate: counts are exact while they are small.",
    ],
    run: async ({ out, queue }) => {
        const found = await readStatus(await queue())
        out.show(found, (look) => statusLines(found, look))
        return EXIT.ok
    },
}
