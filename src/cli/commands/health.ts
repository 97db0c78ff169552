import type { Command } from "../command.ts"
import { EXIT } from "../exit.ts"
import { paint } from "../look.ts"

/** Whether all is well. */
export const health: Command = {
    name: "health",
    summary: "say whether somebody is there for what there is to do",
    details: [
        "Whether the database answers, its schema is that of this release, an orchestrator lives, and a worker",
        "for each channel with ready jobs. Ends with 1 when one of it is not so; cuckmq doctor says more.",
    ],
    run: async ({ out, queue }) => {
        const { inspector } = await queue()
        const found = await inspector.health()
        out.show(found, (look) =>
            found.checks.map(({ name, isOK, detail }) =>
                look.line(
                    paint(isOK ? "green" : "red", isOK ? "ok     " : "problem"),
                    " ",
                    paint("bold", name),
                    ": ",
                    detail,
                ),
            ),
        )
        return found.isHealthy ? EXIT.ok : EXIT.problem
    },
}
