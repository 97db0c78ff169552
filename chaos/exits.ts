import { closeSync, fstatSync, openSync, readSync } from "node:fs"
import type { ChaosRecord } from "./records.ts"

/** Runs that are under way began within the last records: those of a process are few at a time. */
const TAIL_BYTES = 512 * 1_024
const MAX_WORDS_CHARS = 2_000

/** Whether a process ran a job that ends its process when it ended: its records say so. */
export function endedByOwnJob(recordsFile: string): boolean {
    const open = new Set<string>()
    for (const line of tailOf(recordsFile).split("\n")) {
        const record = parse(line)
        if (record?.kind === "run-start" && record.jobKind === "abort")
            open.add(`${record.jobID} ${record.attempt}`)
        if (record?.kind === "run-end") open.delete(`${record.jobID} ${record.attempt}`)
    }
    return open.size > 0
}

/** The end of what a process said on its standard error. */
export function lastWords(path: string): string {
    return tailOf(path).trim().slice(-MAX_WORDS_CHARS)
}

function tailOf(path: string): string {
    let file: number | undefined
    try {
        file = openSync(path, "r")
        const { size } = fstatSync(file)
        const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES))
        readSync(file, bytes, 0, bytes.length, size - bytes.length)
        return bytes.toString("utf8")
    } catch {
        return ""
    } finally {
        if (file !== undefined) closeSync(file)
    }
}

/** The first line of a tail, and the last of a killed process, may not be whole. */
function parse(line: string): ChaosRecord | undefined {
    try {
        return JSON.parse(line) as ChaosRecord
    } catch {
        return undefined
    }
}
