/**
 * Runs the behaviour suite on every leg, or on those named, one after the other, and prints a table at the end:
 * `npm run test:matrix -- 15 pgbouncer`.
 */
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { isLeg, LEGS, type Leg, versionOf } from "../test/support/legs.ts"

const ROOT = join(import.meta.dirname, "..")

/** What became of a leg. */
interface Result {
    leg: Leg
    numPassed: number
    numFailed: number
    numSkipped: number
    seconds: number
    /** Every test passed, and what is around them too: a database that does not start fails no test. */
    hasPassed: boolean
}

/** What we read of vitest's report. */
interface Report {
    numPassedTests: number
    numFailedTests: number
    numPendingTests: number
    numTodoTests: number
}

/** Runs a program from the root of the repository, with our own output. Returns its exit code. */
function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
    return new Promise((resolve, reject) => {
        const child = spawn(program, args, {
            cwd: ROOT,
            env: { ...process.env, ...env },
            stdio: ["ignore", "inherit", "inherit"],
        })
        child.once("error", reject)
        child.once("exit", (code) => resolve(code ?? 1))
    })
}

/** Brings what the leg needs and npm can bring. */
async function prepare(leg: Leg): Promise<void> {
    const version = versionOf(leg)
    if (leg === "pglite" || version === 18) return
    if (existsSync(join(ROOT, `test/postgres/node_modules/pg${version}`))) return
    await run("npm", ["--prefix", "test/postgres", "ci"])
}

/**
 * What large tables cost the server, and how servers fail, is the same whichever way leads to them: no slow tests. And the
 * command line and the dashboard ask by an inspector, whose own tests are run.
 */
const BESIDE_THE_WAY = ["--exclude=test/cli/**", "--exclude=test/db/dashboard*"]

async function runLeg(leg: Leg): Promise<Result> {
    console.log(`\n== ${leg}: ${LEGS[leg]}`)
    await prepare(leg)
    const folder = mkdtempSync(join(tmpdir(), "cuckmq-matrix-"))
    const reportFile = join(folder, "report.json")
    const startedAt = performance.now()
    const code = await run(
        "npx",
        [
            "vitest",
            "run",
            "--project=db",
            ...(leg === "pgbouncer" ? BESIDE_THE_WAY : ["--project=slow"]),
            "--reporter=default",
            "--reporter=json",
            `--outputFile=${reportFile}`,
        ],
        { CUCKMQ_TEST_DATABASE: leg },
    )
    const seconds = (performance.now() - startedAt) / 1_000
    const report: Partial<Report> = existsSync(reportFile) ? JSON.parse(readFileSync(reportFile, "utf8")) : {}
    rmSync(folder, { recursive: true })
    const numPassed = report.numPassedTests ?? 0
    return {
        leg,
        numPassed,
        numFailed: report.numFailedTests ?? 0,
        numSkipped: (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0),
        seconds,
        hasPassed: code === 0 && numPassed > 0,
    }
}

function tableOf(results: readonly Result[]): string {
    const rows = [
        ["leg", "passed", "failed", "skipped", "seconds", ""],
        ...results.map((result) => [
            result.leg,
            String(result.numPassed),
            String(result.numFailed),
            String(result.numSkipped),
            result.seconds.toFixed(0),
            result.hasPassed ? "ok" : "FAILED",
        ]),
    ]
    const widthOf = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0))
    const line = (row: readonly string[]) =>
        row
            .map((cell, column) =>
                column === 0 || column === row.length - 1
                    ? cell.padEnd(widthOf(column))
                    : cell.padStart(widthOf(column)),
            )
            .join("  ")
            .trimEnd()
    return rows.map(line).join("\n")
}

const names = process.argv.slice(2)
const unknown = names.filter((name) => !isLeg(name))
if (unknown.length > 0) {
    console.error(`no such leg: ${unknown.join(", ")}. There are ${Object.keys(LEGS).join(", ")}`)
    process.exit(2)
}
const legs = names.length > 0 ? names.filter(isLeg) : Object.keys(LEGS).filter(isLeg)
const results: Result[] = []
for (const leg of legs) results.push(await runLeg(leg))
console.log(`\n${tableOf(results)}`)
if (results.some(({ hasPassed }) => !hasPassed)) process.exitCode = 1
