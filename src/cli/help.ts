import { GLOBAL_OPTIONS } from "./arguments.ts"
import type { Command } from "./command.ts"
import type { OptionSpec } from "./option-spec.ts"

/** What `cuckmq help` prints. */
export function overview(commands: readonly Command[]): string[] {
    return [
        "Usage: cuckmq COMMAND [options]",
        "",
        "Looks after a cuckmq job queue.",
        "",
        "Commands:",
        ...aligned(commands.map((command) => [usageOf(command), command.summary])),
        "",
        "Options of all commands:",
        ...optionLines(GLOBAL_OPTIONS),
        "",
        "cuckmq help COMMAND says more. Exit codes: 0 ok, 1 problem or not found, 2 wrong usage,",
        "3 database not reachable or schema not prepared, 130 interrupted.",
    ]
}

/** What `cuckmq help COMMAND` prints. */
export function helpOf(command: Command): string[] {
    const { options = [], details = [] } = command
    const sentence = `${command.summary[0]?.toUpperCase()}${command.summary.slice(1)}.`
    return [
        `Usage: cuckmq ${usageOf(command)}${options.length > 0 ? " [options]" : ""}`,
        "",
        sentence,
        ...(details.length > 0 ? ["", ...details] : []),
        ...(options.length > 0 ? ["", "Options:", ...optionLines(options)] : []),
        "",
        "Options of all commands:",
        ...optionLines(GLOBAL_OPTIONS),
    ]
}

function usageOf({ name, operands }: Command): string {
    return operands === undefined ? name : `${name} ${operands}`
}

function optionLines(options: readonly OptionSpec[]): string[] {
    return aligned(
        options.flatMap(({ name, value, help, choices }) => [
            [value === undefined ? `--${name}` : `--${name} ${value}`, help] as const,
            ...(choices === undefined ? [] : [["", choices.join(", ")] as const]),
        ]),
    )
}

function aligned(pairs: readonly (readonly [string, string])[]): string[] {
    const width = Math.max(...pairs.map(([left]) => left.length))
    return pairs.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
}
