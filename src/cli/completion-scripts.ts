import { GLOBAL_OPTIONS } from "./arguments.ts"
import type { Command } from "./command.ts"
import type { OptionSpec } from "./option-spec.ts"

/** The shells that there are scripts for. */
export const SHELLS = ["bash", "zsh", "fish"] as const

/** A script by which a shell completes command lines. */
export function completionFor(shell: (typeof SHELLS)[number], commands: readonly Command[]): string {
    if (shell === "fish") return fish(commands)
    // What zsh has for scripts that were made for bash is enough for words out of lists.
    const head = shell === "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" : ""
    return head + bash(commands)
}

function optionsOf(command: Command): readonly OptionSpec[] {
    return [...(command.options ?? []), ...GLOBAL_OPTIONS]
}

function operandsOf(command: Command, commands: readonly Command[]): readonly string[] {
    return command.name === "help" ? commands.map(({ name }) => name) : (command.choices ?? [])
}

function bash(commands: readonly Command[]): string {
    const names = commands.map(({ name }) => name).join(" ")
    const words = commands.map((command) => {
        const options = optionsOf(command).map(({ name }) => `--${name}`)
        return `        ${command.name}) words="${[...operandsOf(command, commands), ...options].join(" ")}" ;;`
    })
    const values = new Map<string, string>()
    for (const { name, choices } of commands.flatMap(optionsOf))
        if (choices !== undefined) values.set(name, choices.join(" "))
    return `_cuckmq() {
    local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}" words=""
    case "\${COMP_WORDS[1]}" in
${words.join("\n")}
        *) words="${names}" ;;
    esac
    [ "$COMP_CWORD" -eq 1 ] && words="${names}"
    case "$previous" in
${[...values].map(([name, choices]) => `        --${name}) words="${choices}" ;;`).join("\n")}
    esac
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _cuckmq cuckmq
`
}

function fish(commands: readonly Command[]): string {
    const text = (words: string) => `'${words.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`
    const lines = commands.flatMap((command) => {
        const within = `-n ${text(`__fish_seen_subcommand_from ${command.name}`)}`
        const operands = operandsOf(command, commands)
        return [
            `complete -c cuckmq -f -n __fish_use_subcommand -a ${command.name} -d ${text(command.summary)}`,
            ...(operands.length > 0
                ? [`complete -c cuckmq -f ${within} -a ${text(operands.join(" "))}`]
                : []),
            ...(command.options ?? []).map(
                (option) => `complete -c cuckmq -f ${within} ${fishOption(option, text)}`,
            ),
        ]
    })
    const globals = GLOBAL_OPTIONS.map((option) => `complete -c cuckmq -f ${fishOption(option, text)}`)
    return `${[...lines, ...globals].join("\n")}\n`
}

function fishOption({ name, value, help, choices }: OptionSpec, text: (words: string) => string): string {
    const takes =
        value === undefined ? "" : ` -r${choices === undefined ? "" : ` -a ${text(choices.join(" "))}`}`
    return `-l ${name}${takes} -d ${text(help)}`
}
