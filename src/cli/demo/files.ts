import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { readdir, readFile } from "node:fs/promises"
import { dirname, join } from "node:path"

/** Where this package is: a checkout, or what was installed. */
const ROOT = rootOf(import.meta.dirname)

/** Where to look for files: what is built only where there are no sources. */
const FOLDERS = ["", "docs", existsSync(join(ROOT, "src")) ? "src" : "dist"]

const URL = /https?:\/\/\w/g
const MARKDOWN_LINK = /\[[^\]\n]*\]\([^)\s]+\)|(?<!\]\()https?:\/\/\w/g

/** What a file job finds out. */
export interface FileFacts {
    path: string
    words: number
    links: number
    longestLine: number
}

/** The files of this package that people can read, as paths from its root. */
export async function findFiles(): Promise<string[]> {
    const found = await Promise.all(FOLDERS.map(filesIn))
    return found.flat().sort()
}

/** Reads a file of the package and counts. */
export async function countFile(path: string): Promise<FileFacts> {
    const text = await readFile(join(ROOT, path), "utf8")
    return {
        path,
        words: text.match(/\S+/g)?.length ?? 0,
        links: text.match(path.endsWith(".md") ? MARKDOWN_LINK : URL)?.length ?? 0,
        longestLine: text.split("\n").reduce((longest, line) => Math.max(longest, line.length), 0),
    }
}

/** The fingerprint of a file of the package. */
export async function digestFile(path: string): Promise<string> {
    return createHash("sha256")
        .update(await readFile(join(ROOT, path)))
        .digest("hex")
}

async function filesIn(folder: string): Promise<string[]> {
    if (!existsSync(join(ROOT, folder))) return []
    const entries = await readdir(join(ROOT, folder), { withFileTypes: true })
    return entries
        .filter((entry) => entry.isFile() && /\.(md|ts|js)$/.test(entry.name))
        .map((entry) => (folder === "" ? entry.name : `${folder}/${entry.name}`))
}

/** The nearest folder above with a manifest. */
function rootOf(folder: string): string {
    return existsSync(join(folder, "package.json")) ? folder : rootOf(dirname(folder))
}
