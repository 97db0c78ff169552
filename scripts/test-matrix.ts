/**
 * Runs the behaviour suite on every leg, or on those named, one after the other, and prints a table at the end:
 * `npm run test:matrix -- 15 pgbouncer`. `--brief` leaves out most of what takes long.
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

/** The command line and the dashboard ask by an inspector, whose own tests are run. */
const ASK_BY_INSPECTOR = ["test/cli/**", "test/db/dashboard*"]

/** With `--brief`, of what large tables cost only the plans, which are the server's own affair in each release. */
const isBrief = process.argv.includes("--brief")

function testsOf(leg: Leg): string[] {
    const slow = leg === "pgbouncer" ? [] : isBrief ? ["test/slow/plans"] : ["test/slow"]
    return [
        ...["--project=db", "--project=slow", "test/db", ...slow],
        ...ASK_BY_INSPECTOR.map((pattern) => `--exclude=${pattern}`),
    ]
}

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
            ...testsOf(leg),
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

const names = process.argv.slice(2).filter((name) => name !== "--brief")
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
