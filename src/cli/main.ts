import { CuckmqError, InvalidOptionError } from "../index.ts"
import { type Arguments, commandIn, readArguments } from "./arguments.ts"
import type { Command, DatabaseParams } from "./command.ts"
import { COMMANDS } from "./commands/all.ts"
import {
    type OpenDatabase,
    type OpenQueue,
    openDatabase,
    openEmbedded,
    openQueue,
    withoutPassword,
} from "./database.ts"
import { EXIT, NoDatabaseError, UsageError } from "./exit.ts"
import { helpOf } from "./help.ts"
import type { Io } from "./io.ts"
import { Output } from "./output.ts"
import { harmless, toJson } from "./text.ts"

/** Runs a command line, without the names of the program. Returns what the process ends with; throws nothing. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
    // What is wrong with a command line may be told before it was read.
    const told = { url: urlIn(argv) ?? io.env.DATABASE_URL, isJson: argv.includes("--json") }
    try {
        const { name, rest } = commandIn(argv)
        const command = commandOf(name)
        const args = readArguments(rest, command.options ?? [])
        const out = outputOf(args, io)
        if (args.has("help")) {
            out.lines(helpOf(command))
            return EXIT.ok
        }
        checkOperands(args, command)
        return await runCommand({ command, args, out, io, url: args.text("database-url") ?? told.url })
    } catch (error) {
        const { code, message, exitCode } = failureOf(error)
        const text = withoutPassword(message, told.url)
        io.stderr.write(
            told.isJson
                ? `${toJson({ error: { code, message: text } })}\n`
                : `cuckmq: ${harmless(text)}\n${exitCode === EXIT.usage ? "See cuckmq help.\n" : ""}`,
        )
        return exitCode
    }
}

async function runCommand(params: {
    command: Command
    args: Arguments
    out: Output
    io: Io
    url: string | undefined
}): Promise<number> {
    const { command, args, out, io, url } = params
    let open: OpenQueue | undefined
    let database: OpenDatabase | undefined
    const context = {
        args,
        out,
        io,
        commands: COMMANDS,
        queue: async () => {
            const schema = args.text("schema") ?? (io.env.CUCKMQ_SCHEMA || undefined)
            open ??= await openQueue({ url, schema, io })
            return open
        },
        database: async ({ kind, numConnections }: DatabaseParams) => {
            const isEmbedded = kind === "embedded" || (kind === "either" && !url)
            database ??= await (isEmbedded ? openEmbedded(io) : openDatabase({ url, numConnections, io }))
            return database
        },
        isConfirmed: async (question: string, withFacts = async () => question) => {
            if (args.has("yes")) return true
            if (!io.isInteractive)
                throw new UsageError(`${question} Nobody can be asked here: give --yes to go on.`)
            const isYes = /^y(es)?$/i.test((await io.ask(`${harmless(await withFacts())} [y/N] `)).trim())
            if (!isYes) out.note("nothing was done")
            return isYes
        },
    }
    try {
        const running = command.run(context)
        return await (command.isLive === true ? running : Promise.race([running, interruption(io.signal)]))
    } finally {
        await open?.close()
        await database?.close()
    }
}

function interruption(signal: AbortSignal): Promise<number> {
    return new Promise((resolve) => {
        const interrupt = () => resolve(EXIT.interrupted)
        if (signal.aborted) interrupt()
        else signal.addEventListener("abort", interrupt, { once: true })
    })
}

function commandOf(name: string): Command {
    const command = COMMANDS.find((one) => one.name === name)
    if (command === undefined) throw new UsageError(`there is no command ${name}`)
    return command
}

function checkOperands(args: Arguments, { name, numOperands, operands }: Command): void {
    const { min, max } = numOperands ?? { min: 0, max: 0 }
    const num = args.operands.length
    if (num >= min && num <= max) return
    throw new UsageError(
        num < min ? `${name} needs ${operands ?? "more"}` : `${name} does not take: ${args.operands[max]}`,
    )
}

function outputOf(args: Arguments, { stdout, stderr, env }: Io): Output {
    const isColoured = !args.has("no-color") && !env.NO_COLOR && env.TERM !== "dumb"
    return new Output({ stdout, stderr, isJson: args.has("json"), isColoured })
}

function urlIn(argv: readonly string[]): string | undefined {
    const at = argv.findIndex((text) => /^--database-url(=|$)/.test(text))
    const [, value] = /^--database-url=(.*)$/s.exec(argv[at] ?? "") ?? []
    return at < 0 ? undefined : (value ?? argv[at + 1])
}

function failureOf(error: unknown): { code: string; message: string; exitCode: number } {
    if (error instanceof UsageError) return { code: "USAGE", message: error.message, exitCode: EXIT.usage }
    if (error instanceof NoDatabaseError)
        return { code: "NO_DATABASE", message: error.message, exitCode: EXIT.database }
    if (error instanceof InvalidOptionError)
        return { code: error.code, message: error.message, exitCode: EXIT.usage }
    if (error instanceof CuckmqError) {
        const isDatabase = ["CUCKMQ_DATABASE", "CUCKMQ_SCHEMA_NOT_PREPARED"].includes(error.code)
        return {
            code: error.code,
            message: messageOf(error),
            exitCode: isDatabase ? EXIT.database : EXIT.problem,
        }
    }
    return { code: "UNEXPECTED", message: String(error), exitCode: EXIT.problem }
}

/** The library speaks to programs; and where several addresses were tried, the driver's error has no message. */
function messageOf(error: CuckmqError): string {
    if (error.code === "CUCKMQ_SCHEMA_NOT_PREPARED")
        return error.message.replace(/: call `.*$/, ": run `cuckmq migrate`")
    const { sqlState } = error as { sqlState?: unknown }
    return error.message.endsWith(": ") && typeof sqlState === "string"
        ? `${error.message}${sqlState}`
        : error.message
}
