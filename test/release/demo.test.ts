import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, inject, it } from "vitest"
import { type Program, startProgram } from "../support/program.ts"
import { makePool } from "../support/with-schema.ts"

const ROOT = join(import.meta.dirname, "../..")
const ON_POSTGRES = inject("connectionString") !== ""

describe("npm run demo", () => {
    it("runs to its end and reports what is really in the files", async () => {
        const demo = startDemo()
        expect(await demo.ended).toEqual({ code: 0, signal: null })
        const output = demo.output()
        expect(output).toContain("PGlite, a Postgres inside this process")
        expect(cellsOf(output, "README.md")[0]).toBe(countWords("README.md").toLocaleString("en"))
        const [numFiles] = /(?<=all )\d+(?= files)/.exec(output) ?? []
        // Succeeded, failed, still queued, attempts.
        expect(cellsOf(output, "count-file ")).toEqual([numFiles, "·", "·", numFiles])
        expect(cellsOf(output, "flaky-upload ")).toEqual(["1", "·", "·", "3"])
        expect(cellsOf(output, "doomed-read ")).toEqual(["·", "1", "·", "2"])
        expect(cellsOf(output, "report ")).toEqual(["1", "·", "·", "1"])
        const [closestMs] = /(?<=one in 250 ms: .* than )\d+/.exec(output) ?? []
        expect(Number(closestMs)).toBeGreaterThanOrEqual(250)
        // No terminal, so nothing is drawn over and nothing is coloured.
        expect(output).not.toContain("\x1b[")
    })

    it("stops gracefully at Ctrl-C, which npm passes on a second time", async () => {
        const demo = startDemo()
        await demo.hasPrinted("count-file")
        demo.signal("SIGINT", "group")
        const { code, signal } = await demo.ended
        // Depending on the shell, npm hears of the code or of the signal; a user's shell makes 130 of both.
        expect(signal ?? code).toSatisfy((end) => end === 130 || end === "SIGINT")
        expectGracefulEnd(demo)
    })

    it("stops gracefully when npm is told to end", async () => {
        const demo = startDemo()
        await demo.hasPrinted("count-file")
        demo.signal("SIGTERM")
        await demo.ended
        expectGracefulEnd(demo)
    })

    it.runIf(ON_POSTGRES)(
        "uses the Postgres of DATABASE_URL, and with --keep leaves the jobs there to look at",
        async () => {
            const demo = startDemo({ DATABASE_URL: inject("connectionString") }, ["--keep"])
            expect(await demo.ended).toEqual({ code: 0, signal: null })
            const output = demo.output()
            const [, schema] = /cuckmq jobs --schema (cuckmq_demo_[0-9a-f]{24})/.exec(output) ?? []
            const { rows } = await makePool().query(`select * from ${schema}.job_history`)
            await makePool().query(`drop schema ${schema} cascade`)
            const [numFiles] = /(?<=all )\d+(?= files)/.exec(output) ?? []
            expect(rows.length).toBeGreaterThan(Number(numFiles))
            expect(rows.filter((row) => row.outcome === "failed")).toHaveLength(1)
        },
    )

    it("says what is wrong when the database cannot be reached", async () => {
        const demo = startDemo({ DATABASE_URL: "postgresql://127.0.0.1:1/nobody" })
        expect((await demo.ended).code).toBe(3)
        expect(demo.output()).toContain("failed: connect ECONNREFUSED 127.0.0.1:1")
    })
})

function startDemo(variables: NodeJS.ProcessEnv = {}, args: string[] = []): Program {
    const env = { ...process.env, DATABASE_URL: "", ...variables }
    return startProgram("npm", ["run", "demo", "--", ...args], { cwd: ROOT, env })
}

function expectGracefulEnd(demo: Program): void {
    const output = demo.output()
    expect(output).toContain("Stopping: what runs may end, the rest stays in the queue.")
    const numInSummary = cellsOf(output, "count-file ").length
    expect(numInSummary).toBe(4)
    expect(output).not.toContain("cuckmq:")
}

/** The cells of the last line that begins with a text. */
function cellsOf(output: string, start: string): string[] {
    const line = output
        .split("\n")
        .filter((candidate) => candidate.startsWith(start))
        .at(-1)
    return line?.slice(start.length).trim().split(/\s+/) ?? []
}

function countWords(path: string): number {
    return readFileSync(join(ROOT, path), "utf8").match(/\S+/g)?.length ?? 0
}
