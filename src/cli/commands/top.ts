import type { Command } from "../command.ts"
import { EXIT } from "../exit.ts"
import { Screen } from "../screen.ts"
import { readStatus, statusLines } from "../status-view.ts"

const INTERVAL_MS = 2_000

/** How the queue is, again and again. */
export const top: Command = {
    name: "top",
    summary: "show the status every two seconds; q quits",
    isLive: true,
    details: ["Where output is not a terminal, the status is printed every two seconds, until interrupted."],
    run: async ({ out, io, queue }) => {
        const screen = out.isTerminal && !out.isJson ? new Screen(io) : undefined
        try {
            const from = await queue()
            while (!io.signal.aborted && screen?.isQuit !== true) {
                const found = await readStatus(from)
                const title = `cuckmq ${found.counts.at.toISOString()}`
                if (screen === undefined)
                    out.showNext(found, (look) => [look.line(title), ...statusLines(found, look), ""])
                else {
                    const { look } = out
                    screen.draw([look.line(`${title}  q quits`), "", ...statusLines(found, look)])
                }
                await (screen === undefined ? io.wait(INTERVAL_MS) : screen.wait(INTERVAL_MS))
            }
        } finally {
            screen?.close()
        }
        return screen?.isQuit === true && !screen.isInterrupted ? EXIT.ok : EXIT.interrupted
    },
}
