import type { Verdict } from "../../index.ts"
import type { Command } from "../command.ts"
import { EXIT } from "../exit.ts"
import { type Colour, paint } from "../look.ts"

const COLOURS: Record<Verdict, Colour> = { ok: "green", warning: "yellow", problem: "red", skipped: "dim" }

/** Checks the queue and its server. */
export const doctor: Command = {
    name: "doctor",
    summary: "check the queue and its server, with advice",
    details: [
        "Checks the schema, the server and its settings, old snapshots, the table of jobs, the clocks,",
        "LISTEN, and work that nobody does. Changes nothing. Ends with 1 when there is a problem.",
    ],
    run: async ({ out, queue }) => {
        const { inspector } = await queue()
        const diagnosis = await inspector.doctor()
        out.show(diagnosis, (look) =>
            diagnosis.checks.flatMap(({ name, verdict, summary, advice }) => [
                look.line(
                    paint(COLOURS[verdict], verdict.padEnd(8)),
                    " ",
                    paint("bold", name),
                    ": ",
                    summary,
                ),
                ...(advice === null ? [] : [look.line(" ".repeat(9), "→ ", advice)]),
            ]),
        )
        return diagnosis.verdict === "problem" ? EXIT.problem : EXIT.ok
    },
}
