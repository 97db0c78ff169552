import { closeSync, openSync, readdirSync, readSync } from "node:fs"
import { dirname, join } from "node:path"
import type { ProgramTask } from "../processes.ts"
import type { ChaosRecord, Micros } from "../records.ts"

const CHUNK_BYTES = 1_024 * 1_024
const FIRST_BYTES = 4_096

/** What the earlier lives of a process did: each process starts anew, but its goal is that of all its lives. */
export interface Past {
    /** When the first of them began; undefined for the first. */
    readonly since: Micros | undefined
    readonly numAcked: number
}

/** Reads it from their records. */
export function pastOf(task: ProgramTask): Past {
    const folder = dirname(task.recordsFile)
    const prefix = `${task.role}-${task.index}.`
    const own = `${task.options.process}.jsonl`
    const names = readdirSync(folder).filter(
        (name) => name.startsWith(prefix) && name.endsWith(".jsonl") && name !== own,
    )
    const begins = names.map((name) => firstOf(join(folder, name))).filter((at) => at !== undefined)
    return {
        since: begins.length === 0 ? undefined : Math.min(...begins),
        numAcked: names.reduce((sum, name) => sum + countOf(join(folder, name), `"kind":"acked"`), 0),
    }
}

function firstOf(path: string): Micros | undefined {
    const file = openSync(path, "r")
    try {
        const bytes = Buffer.alloc(FIRST_BYTES)
        const text = bytes.toString("utf8", 0, readSync(file, bytes, 0, FIRST_BYTES, 0))
        const end = text.indexOf("\n")
        return end === -1 ? undefined : (JSON.parse(text.slice(0, end)) as ChaosRecord).at
    } finally {
        closeSync(file)
    }
}

/** How often a text occurs in a file, without reading all of it into memory. */
function countOf(path: string, text: string): number {
    const file = openSync(path, "r")
    try {
        const bytes = Buffer.alloc(CHUNK_BYTES)
        let num = 0
        let kept = 0
        for (;;) {
            const numRead = readSync(file, bytes, kept, CHUNK_BYTES - kept, null)
            if (numRead === 0) return num
            const chunk = bytes.subarray(0, kept + numRead)
            for (let at = chunk.indexOf(text); at !== -1; at = chunk.indexOf(text, at + text.length)) num++
            // One that is cut by the end of the chunk is found with the next.
            kept = Math.min(text.length - 1, chunk.length)
            bytes.copyWithin(0, chunk.length - kept, chunk.length)
        }
    } finally {
        closeSync(file)
    }
}
