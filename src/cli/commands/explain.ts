import type { Command } from "../command.ts"
import { EXIT } from "../exit.ts"

/** Why a job does not run. */
export const explain: Command = {
    name: "explain",
    summary: "say why a job does not run, or what became of it",
    operands: "ID",
    numOperands: { min: 1, max: 1 },
    details: ["Ends with 1 when there is no such job, or history holds it no more."],
    run: async ({ args, out, queue }) => {
        const [id = 0] = args.ids()
        const { inspector } = await queue()
        const explanation = await inspector.explain(id)
        out.show(explanation, (look) => [look.line(explanation.sentence)])
        return explanation.kind === "not-found" ? EXIT.problem : EXIT.ok
    },
}
