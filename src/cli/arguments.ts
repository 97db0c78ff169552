import { parseArgs } from "node:util"
import { UsageError } from "./exit.ts"
import type { OptionSpec } from "./option-spec.ts"

/** The options that every command has. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
    { name: "database-url", value: "URL", help: "where the database is; default: DATABASE_URL" },
    { name: "schema", value: "NAME", help: "the schema of the queue; default: CUCKMQ_SCHEMA, or _cuckmq" },
    { name: "json", help: "print JSON: one document, or one a line for live commands" },
    { name: "no-color", help: "no colours, as with NO_COLOR; there are none outside of a terminal" },
    { name: "help", help: "print the help of the command" },
]

type Values = Readonly<Record<string, string | boolean | undefined>>

/** What stands behind the command. */
export class Arguments {
    readonly operands: readonly string[]
    readonly #values: Values

    constructor(params: { operands: readonly string[]; values: Values }) {
        this.operands = params.operands
        this.#values = params.values
    }

    /** Whether an option without a value is there. */
    has(name: string): boolean {
        return this.#values[name] !== undefined
    }

    /** An option's value. */
    text(name: string): string | undefined {
        const value = this.#values[name]
        return typeof value === "string" ? value : undefined
    }

    /** A number. Its range is for the library to check. */
    number(name: string): number | undefined {
        const text = this.text(name)
        if (text === undefined) return undefined
        if (!/^-?\d+(\.\d+)?$/.test(text))
            throw new UsageError(`expected a number for --${name}, got: ${text}`)
        return Number(text)
    }

    /** An instant, or how long ago it was. */
    instant(name: string): Date | undefined {
        return this.#time(name, -1, "how long ago")
    }

    /** An instant, or in how long it will be. */
    timeToCome(name: string): Date | undefined {
        return this.#time(name, 1, "in how long")
    }

    #time(name: string, direction: 1 | -1, words: string): Date | undefined {
        const text = this.text(name)
        if (text === undefined) return undefined
        const [, num, unit = ""] = /^(\d+)([smhd])$/.exec(text) ?? []
        const at =
            num === undefined
                ? new Date(text)
                : new Date(Date.now() + direction * Number(num) * (UNITS[unit] ?? 0))
        if (Number.isNaN(at.getTime()) || (num === undefined && !/^\d{4}-\d\d-\d\d/.test(text)))
            throw new UsageError(
                `expected an instant such as 2026-01-31T12:00:00Z, or ${words}, such as 15m, for --${name}, got: ${text}`,
            )
        return at
    }

    /** A JSON object. */
    object(name: string): object | undefined {
        const text = this.text(name)
        if (text === undefined) return undefined
        try {
            const value: unknown = JSON.parse(text)
            if (typeof value === "object" && value !== null) return value
        } catch {}
        throw new UsageError(`expected a JSON object for --${name}`)
    }

    /** Operands that are ids of jobs. */
    ids(): number[] {
        return this.operands.map((text) => {
            if (!/^[1-9]\d{0,15}$/.test(text))
                throw new UsageError(`expected the id of a job, a whole number, got: ${text}`)
            return Number(text)
        })
    }
}

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** The name of the command, which is the first thing that is no option, and what stands beside it. */
export function commandIn(argv: readonly string[]): { name: string; rest: string[] } {
    const args = argv.map((text) => (text === "-h" ? "--help" : text))
    const { tokens } = parseArgs({
        args,
        options: toParsed(GLOBAL_OPTIONS),
        strict: false,
        tokens: true,
    })
    const first = tokens.find(({ kind }) => kind === "positional")
    if (first?.kind === "positional")
        return { name: first.value, rest: args.filter((_, index) => index !== first.index) }
    const name = args.includes("--version") ? "version" : "help"
    return { name, rest: args.filter((text) => text !== "--version" && text !== "--help") }
}

/** Reads what stands beside the command. */
export function readArguments(argv: readonly string[], own: readonly OptionSpec[]): Arguments {
    try {
        const { values, positionals } = parseArgs({
            args: [...argv],
            options: toParsed([...GLOBAL_OPTIONS, ...own]),
            allowPositionals: true,
        })
        return new Arguments({ operands: positionals, values: values as Values })
    } catch (error) {
        throw new UsageError(error instanceof Error ? (error.message.split(". ")[0] ?? "") : String(error))
    }
}

function toParsed(options: readonly OptionSpec[]) {
    return Object.fromEntries(
        options.map(({ name, value }) => [
            name,
            { type: value === undefined ? "boolean" : "string" } as const,
        ]),
    )
}

/** Options without those that were not given. */
export function given<Options extends object>(
    options: Options,
): { [Name in keyof Options]?: Exclude<Options[Name], undefined> } {
    return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
        [Name in keyof Options]?: Exclude<Options[Name], undefined>
    }
}
