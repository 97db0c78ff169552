import type { Command } from "../command.ts"
import { completionFor, SHELLS } from "../completion-scripts.ts"
import { EXIT, UsageError } from "../exit.ts"

/** Prints what a shell completes command lines by. */
export const completion: Command = {
    name: "completion",
    summary: "print a script by which a shell completes command lines",
    operands: "SHELL",
    numOperands: { min: 1, max: 1 },
    choices: SHELLS,
    details: [
        "bash: source <(cuckmq completion bash)    zsh: source <(cuckmq completion zsh)",
        "fish: cuckmq completion fish | source",
    ],
    run: async ({ args, out, commands }) => {
        const shell = SHELLS.find((one) => one === args.operands[0])
        if (shell === undefined) throw new UsageError(`expected one of ${SHELLS.join(", ")}`)
        const script = completionFor(shell, commands)
        if (out.isJson) out.show({ script }, () => [])
        else out.raw(script)
        return EXIT.ok
    },
}
