import { readFileSync } from "node:fs"
import { join } from "node:path"
import { ROOT } from "./root.ts"

export const README = readFileSync(join(ROOT, "README.md"), "utf8")

/** A fenced block of a document. */
export interface Snippet {
    /** The language behind the opening fence. */
    readonly language: string
    /** What the HTML comment right before the block says, if there is one. */
    readonly mark: string
    readonly text: string
    /** The number of the line that the block begins at. */
    readonly line: number
    /** The block of printed output that follows next, if it is the next block. */
    readonly output: string | undefined
}

/** All fenced blocks of a document, in order. */
export function snippets(document: string = README): Snippet[] {
    const pattern = /(?:<!-- ([^>]*) -->\n)?^```(\w+)\n([\s\S]*?)^```$/gm
    const blocks = [...document.matchAll(pattern)].map((match) => ({
        mark: match[1] ?? "",
        language: match[2] ?? "",
        text: match[3] ?? "",
        line: document.slice(0, match.index).split("\n").length + 1,
    }))
    return blocks.map((block, index) => {
        const next = blocks[index + 1]
        return { ...block, output: next?.language === "text" ? next.text : undefined }
    })
}

/** The rows of the first table after a heading, a text per cell. */
export function tableAfter(heading: string): string[][] {
    const start = README.indexOf(`\n${heading}\n`)
    if (start < 0) throw new Error(`README.md has no heading ${heading}`)
    const rows: string[][] = []
    for (const line of README.slice(start + heading.length + 2).split("\n")) {
        if (line.startsWith("|")) rows.push(cellsOf(line))
        else if (rows.length > 0 || line.startsWith("#")) break
    }
    if (rows.length < 3) throw new Error(`README.md has no table after ${heading}`)
    return rows.slice(2)
}

/** A bar with a backslash before it belongs to the cell. */
function cellsOf(line: string): string[] {
    const cells = line.split(/(?<!\\)\|/).slice(1, -1)
    return cells.map((cell) => cell.trim().replaceAll("\\|", "|"))
}

/** What is between the backticks of a cell. */
export function codeOf(cell: string | undefined): string {
    return /^`(.*)`$/.exec(cell ?? "")?.[1] ?? ""
}
