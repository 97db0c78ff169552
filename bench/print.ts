import { headlineOf, linesOf, ratioText } from "./figures.ts"
import { rowNames, type ScenarioResult } from "./results.ts"

/** Prints the median, the spread and our ratio to each system, row by row. */
export function printScenario(result: ScenarioResult): void {
    for (const row of rowNames(result)) {
        const headline = headlineOf(result, row)
        console.log(
            `${row}, ${headline.title}${result.isSmall ? " (a small run: the figures mean nothing)" : ""}`,
        )
        for (const line of linesOf(result, row)) {
            const value = headline.show(line.values[headline.metric] ?? Number.NaN)
            const spread = `${headline.show(line.low)} … ${headline.show(line.high)}`
            const rest = [
                line.values.p99Ms === undefined ? "" : `p99 ${line.values.p99Ms.toFixed(2)}`,
                line.values.ratio === undefined ? "" : `last ÷ first ${line.values.ratio.toFixed(2)}`,
                line.values.rssMb === undefined ? "" : `${line.values.rssMb.toFixed(0)} MB`,
                line.values.processMicros === undefined
                    ? ""
                    : `CPU µs ${line.values.processMicros.toFixed(1)} + ${(line.values.serverMicros ?? 0).toFixed(1)}`,
                line.values.walBytes === undefined ? "" : `WAL ${line.values.walBytes.toFixed(0)}`,
                line.values.peakMb === undefined ? "" : `peak ${line.values.peakMb.toFixed(0)} MB`,
            ]
            const start = `    ${line.title.padEnd(28)}${value.padStart(10)}   ${spread.padEnd(24)}`
            console.log(
                `${start}${ratioText(line.ourRatio).padStart(9)}   ${rest.filter(Boolean).join(", ")}`,
            )
        }
    }
    for (const { peerID, caseName, message } of result.failures) {
        console.log(`    ${peerID} failed at ${caseName}: ${message}`)
    }
}
