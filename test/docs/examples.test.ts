import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, inject, it } from "vitest"
import { makeDatabase } from "../support/database.ts"
import { type Program, startProgram } from "../support/program.ts"

const EXAMPLES = join(import.meta.dirname, "../../examples")
const TSX = import.meta.resolve("tsx")

const folders = readdirSync(EXAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory())

/** What a transcript writes where someone sends a signal to the program. */
const SIGNALS: Record<string, NodeJS.Signals> = { "^C": "SIGINT", "[SIGTERM]": "SIGTERM" }

/**
 * `expected-output.txt` is what a terminal shows: commands after `$`, signals, and in between what is printed. The
 * test types the commands, sends a signal once all before it is printed, and writes down what a terminal would show.
 */
describe.runIf(inject("connectionString") !== "")("examples", () => {
    it.each(folders.map(({ name }) => name))("%s prints what it says", async (name) => {
        const expected = readFileSync(join(EXAMPLES, name, "expected-output.txt"), "utf8")
        const DATABASE_URL = await makeDatabase()
        const commands = expected.split(/^(?=\$ )/m)
        let shown = ""
        for (const transcript of commands) {
            shown += await replay({ transcript, cwd: join(EXAMPLES, name), env: { DATABASE_URL } })
        }
        expect(shown).toBe(expected)
    })

    it("has some", () => {
        expect(folders.length).toBeGreaterThan(0)
    })
})

/** Runs the command that a piece of transcript begins with. Returns what a terminal would show. */
async function replay(params: { transcript: string; cwd: string; env: NodeJS.ProcessEnv }): Promise<string> {
    const [command = "", ...lines] = params.transcript.trimEnd().split("\n")
    const program = start(command, params)
    let shown = `${command}\n`
    let numShown = 0
    let numLines = 0
    for (const line of lines) {
        const signal = SIGNALS[line]
        if (signal === undefined) {
            numLines++
            continue
        }
        // As many lines as there should be; whether they are the right ones, the comparison tells.
        await program.hasPrinted(new RegExp(`^(.*\n){${numLines}}`))
        const output = program.output()
        shown += `${output.slice(numShown)}${line}\n`
        numShown = output.length
        program.signal(signal)
    }
    const { code } = await program.ended
    expect(code, program.output()).toBe(0)
    return shown + program.output().slice(numShown)
}

function start(command: string, { cwd, env }: { cwd: string; env: NodeJS.ProcessEnv }): Program {
    const { variables = "", file = "" } =
        /^\$ (?<variables>(?:\w+=\S* )*)npx tsx (?<file>\S+)$/.exec(command)?.groups ?? {}
    expect(file, `a command of the form \`$ npx tsx file.ts\`, got: ${command}`).not.toBe("")
    const given = Object.fromEntries(
        variables
            .split(" ")
            .filter(Boolean)
            .map((text) => text.split("=")),
    )
    return startProgram(process.execPath, ["--import", TSX, file], {
        cwd,
        env: { ...process.env, ...env, ...given },
    })
}
