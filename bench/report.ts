/** Writes docs/performance.md and its charts from bench/results. Also a program: `node report.ts`. */
import { mkdirSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { chart } from "./chart.ts"
import { COLUMNS, headlineOf, type Line, linesOf, ratioText } from "./figures.ts"
import { entryOf } from "./peers/index.ts"
import { type KeptResult, readResults, rowNames } from "./results.ts"
import { SCENARIOS, scenarioOf } from "./scenarios/index.ts"
import { isMet, TARGETS } from "./targets.ts"

const DOCS = fileURLToPath(new URL("../docs/", import.meta.url))

type Results = ReadonlyMap<string, KeptResult>

export function writeReport(): void {
    const results: Results = readResults()
    if (results.size === 0) return
    mkdirSync(`${DOCS}performance`, { recursive: true })
    const names = Object.keys(SCENARIOS).filter((name) => results.has(name))
    const sections = names.map((name) => section(results.get(name) as KeptResult))
    const parts = [intro(results), targets(results), losses(results), ...sections, origin(results)]
    writeFileSync(`${DOCS}performance.md`, `${parts.join("\n\n")}\n`)
}

function intro(results: Results): string {
    const { machine, versions, settings } = latest(results)
    return [
        "# Performance",
        "",
        "Written by `npm run bench`; every figure is from `bench/results/`. All systems run on the same machine, one " +
            "after the other and then again, each run in a process and a schema of its own. A figure is the median of " +
            "the rounds, the spread is the smallest and the largest. **Ours** is how many times better cuckmq with " +
            "default settings is; below 1 the other one is better. *Tuned* is what a system's own documentation gives " +
            "for speed, [set here](../bench/peers). *Bare SQL* is the limit on these tables: the same inserts, claims " +
            "and settlements in the same batches, with no queue around them.",
        "",
        `- **Machine:** ${machine.cpu}, ${machine.memory}, ${machine.system}. Clients and servers share it.`,
        `- **Versions:** ${Object.entries(versions)
            .filter(([name]) => name !== "commit")
            .map(([name, version]) => `${name} ${version}`)
            .join(", ")}.`,
        `- **Postgres:** fsync and synchronous_commit on; \`${settings.postgres}\`; the rest is default.`,
        `- **Redis:** \`${settings.redis}\`: it writes nothing to disk, so what it acknowledges is not durable.`,
        "- **CPU** is user and system time of all processes of the system, or of the server, per job. **WAL** is what " +
            "Postgres writes for it.",
    ].join("\n")
}

function targets(results: Results): string {
    const lines = TARGETS.map((target) => {
        const measured = target.measure(results)
        const wanted = "atLeast" in target.wanted ? `≥ ${target.wanted.atLeast}` : `≤ ${target.wanted.atMost}`
        const verdict = Number.isNaN(measured)
            ? "not measured"
            : isMet(target, measured)
              ? "met"
              : "**missed**"
        const shown = Number.isNaN(measured) ? "–" : measured.toFixed(2)
        return `| ${target.text} | ${wanted} | ${shown} | ${verdict} |`
    })
    return ["## What we aim at", "", "| | aim | measured | |", "| --- | ---: | ---: | --- |", ...lines].join(
        "\n",
    )
}

/** Where another system is better, said plainly. */
function losses(results: Results): string {
    const found: string[] = []
    for (const [, result] of results) {
        for (const row of rowNames(result)) {
            const { title } = headlineOf(result, row)
            for (const line of linesOf(result, row)) {
                const isRival = !["cuckmq", "bare"].includes(entryOf(line.peerID).family)
                if (!isRival || !(line.ourRatio < 1)) continue
                const where = `${scenarioOf(result.name).title}, ${row}, ${title}`
                found.push(`- ${line.title} is better at: ${where} (ours ${ratioText(line.ourRatio)}).`)
            }
        }
    }
    const text = found.length === 0 ? ["No rival was better in any row below."] : found
    return ["## Where others are better", "", ...text].join("\n")
}

function section(result: KeptResult): string {
    const { title, about } = scenarioOf(result.name)
    const groups = rowNames(result).map((row) => ({
        name: row,
        headline: headlineOf(result, row),
        lines: linesOf(result, row),
    }))
    writeFileSync(`${DOCS}performance/${result.name}.svg`, chart({ title, groups }))
    const tables = groups.map(({ name, lines }) => table(result, name, lines))
    const failures = result.failures.map(
        ({ peerID, caseName, message }) => `${entryOf(peerID).title} failed at ${caseName}: ${message}.`,
    )
    const rounds = `${result.rounds} ${result.rounds === 1 ? "round" : "rounds"}.`
    return [
        `## ${title}`,
        `${about} ${rounds} Measured at commit ${result.versions.commit}.`,
        `![${title}](performance/${result.name}.svg)`,
        ...tables,
        ...failures,
    ].join("\n\n")
}

function table(result: KeptResult, row: string, lines: readonly Line[]): string {
    const headline = headlineOf(result, row)
    const rest = COLUMNS.filter(
        ({ metric }) =>
            metric !== headline.metric && lines.some(({ values }) => values[metric] !== undefined),
    )
    const head = [row, headline.title, "spread", "ours", ...rest.map(({ title }) => title)]
    const body = lines.map((line) => [
        line.peerID === "cuckmq" ? `**${line.title}**` : line.title,
        headline.show(line.values[headline.metric] ?? Number.NaN),
        `${headline.show(line.low)} … ${headline.show(line.high)}`,
        line.peerID === "cuckmq" ? "" : ratioText(line.ourRatio),
        ...rest.map(({ metric, show }) => {
            const value = line.values[metric]
            return value === undefined ? "" : show(value)
        }),
    ])
    const align = head.map((_, index) => (index === 0 ? "---" : "---:"))
    return [head, align, ...body].map((cells) => `| ${cells.join(" | ")} |`).join("\n")
}

function origin(results: Results): string {
    const dates = [...results.values()].map(({ measuredAt, versions }) => `${measuredAt} ${versions.commit}`)
    const [first] = dates.sort()
    return `Measured from ${first?.slice(0, 16).replace("T", " ")} UTC on.`
}

function latest(results: Results): KeptResult {
    const all = [...results.values()].sort((a, b) => a.measuredAt.localeCompare(b.measuredAt))
    return all.at(-1) as KeptResult
}

if (import.meta.main) writeReport()
