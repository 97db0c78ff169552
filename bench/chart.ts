import type { Column, Line } from "./figures.ts"
import { entryOf } from "./peers/index.ts"

/** Middle tones: each has enough contrast on white and on near-black. */
const TEXT = "#737b85"
const COLORS = {
    cuckmq: "#2f81f7",
    bare: "#8b949e",
    "pg-boss": "#d4772c",
    "graphile-worker": "#2a9d5c",
    "bullmq-redis": "#d6455d",
    "bullmq-postgres": "#9a6ddf",
} as const

const WIDTH = 760
const LABEL_WIDTH = 200
const VALUE_WIDTH = 130
const BAR_WIDTH = WIDTH - LABEL_WIDTH - VALUE_WIDTH
const LINE_HEIGHT = 24
const TITLE_HEIGHT = 34

/** The lines of one row of a scenario. */
export interface ChartGroup {
    name: string
    headline: Column
    lines: readonly Line[]
}

/** Bars for rates; for latencies, which differ by powers of ten, a mark at p50 and a line to p99 on a log scale. */
export function chart(params: { title: string; groups: readonly ChartGroup[] }): string {
    const parts: string[] = []
    let y = 0
    for (const group of params.groups) {
        const isLatency = group.headline.metric === "p50Ms"
        const note = isLatency ? "p50 to p99 in ms, log scale" : group.headline.title
        parts.push(text({ x: 0, y: y + 22, content: `${group.name} · ${note}`, isBold: true }))
        y += TITLE_HEIGHT
        const scale = isLatency ? logScale(group) : linearScale(group)
        for (const line of group.lines) {
            const middle = y + LINE_HEIGHT / 2
            parts.push(text({ x: LABEL_WIDTH - 8, y: middle + 4, content: line.title, anchor: "end" }))
            parts.push(isLatency ? latency({ group, line, scale, middle }) : bar({ group, line, scale, y }))
            y += LINE_HEIGHT
        }
        y += 10
    }
    return [
        `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img"`,
        `    font-family="system-ui, -apple-system, 'Segoe UI', sans-serif" font-size="13">`,
        `<title>${escapeText(params.title)}</title>`,
        ...parts,
        "</svg>\n",
    ].join("\n")
}

type Scale = (value: number) => number

function headlineValue(group: ChartGroup, line: Line): number {
    return line.values[group.headline.metric] ?? 0
}

function linearScale(group: ChartGroup): Scale {
    const most = Math.max(...group.lines.map((line) => headlineValue(group, line)))
    return (value) => (value / most) * BAR_WIDTH
}

function logScale(group: ChartGroup): Scale {
    const least = Math.min(...group.lines.map((line) => line.values.p50Ms ?? 1)) / 2
    const most = Math.max(...group.lines.map((line) => line.values.p99Ms ?? 1))
    return (value) => (Math.log(value / least) / Math.log(most / least)) * BAR_WIDTH
}

function bar(params: { group: ChartGroup; line: Line; scale: Scale; y: number }): string {
    const { group, line, scale, y } = params
    const value = headlineValue(group, line)
    const width = Math.max(1, scale(value))
    return [
        `<rect x="${LABEL_WIDTH}" y="${y + 4}" width="${width.toFixed(1)}" height="${LINE_HEIGHT - 8}" rx="2" fill="${colorOf(line)}"/>`,
        text({ x: LABEL_WIDTH + width + 6, y: y + LINE_HEIGHT / 2 + 4, content: group.headline.show(value) }),
    ].join("\n")
}

function latency(params: { group: ChartGroup; line: Line; scale: Scale; middle: number }): string {
    const { group, line, scale, middle } = params
    const { p50Ms = 1, p99Ms = p50Ms } = line.values
    const from = LABEL_WIDTH + scale(p50Ms)
    const to = LABEL_WIDTH + scale(p99Ms)
    return [
        `<line x1="${from.toFixed(1)}" y1="${middle}" x2="${to.toFixed(1)}" y2="${middle}" stroke="${colorOf(line)}" stroke-width="3"/>`,
        `<circle cx="${from.toFixed(1)}" cy="${middle}" r="5" fill="${colorOf(line)}"/>`,
        text({
            x: to + 10,
            y: middle + 4,
            content: `${group.headline.show(p50Ms)} … ${group.headline.show(p99Ms)}`,
        }),
    ].join("\n")
}

function colorOf(line: Line): string {
    return COLORS[entryOf(line.peerID).family]
}

function text(params: { x: number; y: number; content: string; anchor?: "end"; isBold?: boolean }): string {
    const { x, y, content, anchor, isBold } = params
    const attributes = `${anchor === undefined ? "" : ` text-anchor="${anchor}"`}${isBold ? ' font-weight="600"' : ""}`
    return `<text x="${x.toFixed(1)}" y="${y}" fill="${TEXT}"${attributes}>${escapeText(content)}</text>`
}

function escapeText(content: string): string {
    return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
}
