import { type Column, type Look, paint } from "../look.ts"
import type { FileFacts } from "./files.ts"
import { number } from "./view.ts"

const NUM_TOP_FILES = 8

const COLUMNS: Column[] = [
    { title: "FILE" },
    ...["WORDS", "LINKS", "LONGEST LINE"].map((title) => ({ title, isNumber: true })),
]

/** What the report job tells: the files with the most words, and the totals. */
export function reportLines(files: readonly FileFacts[], look: Look): string[] {
    const top = [...files].sort((a, b) => b.words - a.words).slice(0, NUM_TOP_FILES)
    const total: FileFacts = {
        path: `all ${files.length} files`,
        words: files.reduce((sum, file) => sum + file.words, 0),
        links: files.reduce((sum, file) => sum + file.links, 0),
        longestLine: Math.max(...files.map((file) => file.longestLine)),
    }
    const readme = files.find((file) => file.path === "README.md")
    const shown = readme === undefined || top.includes(readme) ? top : [...top, readme]
    const rows = [...shown, total].map((file) => [
        file.path,
        ...[file.words, file.links, file.longestLine].map(number),
    ])
    const about = " from the results of the file jobs; the files with the most words"
    return [look.line(paint("bold", "Report"), paint("dim", about)), ...look.table(COLUMNS, rows)]
}
