import type { FileFacts } from "./files.ts"
import { bold, dim } from "./paint.ts"
import { type Column, tableLines } from "./table.ts"

const NUM_TOP_FILES = 8

const COLUMNS: Column[] = [
    { title: "file", width: 42 },
    { title: "words", width: 9, isNumber: true },
    { title: "links", width: 7, isNumber: true },
    { title: "longest line", width: 14, isNumber: true },
]

/** What the report job prints: the files with the most words, and the totals. */
export function reportLines(files: readonly FileFacts[]): string[] {
    const top = [...files].sort((a, b) => b.words - a.words).slice(0, NUM_TOP_FILES)
    const total: FileFacts = {
        path: `all ${files.length} files`,
        words: files.reduce((sum, file) => sum + file.words, 0),
        links: files.reduce((sum, file) => sum + file.links, 0),
        longestLine: Math.max(...files.map((file) => file.longestLine)),
    }
    const readme = files.find((file) => file.path === "README.md")
    const shown = readme === undefined || top.includes(readme) ? top : [...top, readme]
    return [
        `${bold("Report")} ${dim("from the results of the file jobs; the files with the most words")}`,
        ...tableLines(COLUMNS, [...shown, total].map(toCells)),
    ]
}

function toCells(file: FileFacts): (string | number)[] {
    return [file.path, file.words, file.links, file.longestLine]
}
