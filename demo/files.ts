import { createHash } from "node:crypto"
import { readdir, readFile } from "node:fs/promises"
import { join, sep } from "node:path"

const ROOT = join(import.meta.dirname, "..")

/** Folders that hold nothing written by people. */
const SKIPPED = new Set(["node_modules", "dist", "coverage"])

const URL = /https?:\/\/\w/g
const MARKDOWN_LINK = /\[[^\]\n]*\]\([^)\s]+\)|(?<!\]\()https?:\/\/\w/g

/** What a file job finds out. */
export interface FileFacts {
    path: string
    words: number
    links: number
    longestLine: number
}

/** The Markdown and TypeScript files of this repository, as paths from its root. */
export async function findFiles(folder = ""): Promise<string[]> {
    const entries = await readdir(join(ROOT, folder), { withFileTypes: true })
    const found = await Promise.all(
        entries.map((entry) => {
            const path = join(folder, entry.name)
            if (entry.isDirectory())
                return SKIPPED.has(entry.name) || entry.name.startsWith(".") ? [] : findFiles(path)
            return entry.isFile() && /\.(md|ts)$/.test(entry.name) ? [path.split(sep).join("/")] : []
        }),
    )
    return found.flat().sort()
}

/** Reads a file of the repository and counts. */
export async function countFile(path: string): Promise<FileFacts> {
    const text = await readFile(join(ROOT, path), "utf8")
    return {
        path,
        words: text.match(/\S+/g)?.length ?? 0,
        links: text.match(path.endsWith(".md") ? MARKDOWN_LINK : URL)?.length ?? 0,
        longestLine: Math.max(...text.split("\n").map((line) => line.length)),
    }
}

/** The fingerprint of a file of the repository. */
export async function digestFile(path: string): Promise<string> {
    return createHash("sha256")
        .update(await readFile(join(ROOT, path)))
        .digest("hex")
}
