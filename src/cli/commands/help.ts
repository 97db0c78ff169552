import type { Command } from "../command.ts"
import { EXIT, UsageError } from "../exit.ts"
import { helpOf, overview } from "../help.ts"

/** Says what there is. */
export const help: Command = {
    name: "help",
    summary: "say what there is, or what a command does",
    operands: "[COMMAND]",
    numOperands: { min: 0, max: 1 },
    run: async ({ args, out, commands }) => {
        const [name] = args.operands
        const command = commands.find((one) => one.name === name)
        if (name !== undefined && command === undefined) throw new UsageError(`there is no command ${name}`)
        const lines = command === undefined ? overview(commands) : helpOf(command)
        out.show({ help: lines.join("\n") }, () => lines)
        return EXIT.ok
    },
}
