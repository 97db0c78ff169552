import {
    chmodSync,
    existsSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    statfsSync,
    statSync,
} from "node:fs"
import { join } from "node:path"
import { giveAway } from "./unprivileged.ts"

/** Where Linux keeps files in memory, and how much of that must be free. */
const ROOT = "/dev/shm"
const PREFIX = "cuckmq-postgres-"
const MIN_FREE_BYTES = 4 * 1_024 ** 3

/** Whether there is room for the files of a server in memory. */
export function hasMemory(): boolean {
    if (!existsSync(ROOT)) return false
    const { bavail, bsize } = statfsSync(ROOT)
    return bavail * bsize >= MIN_FREE_BYTES
}

/** A folder is left alone until it is so old: while its server is made, nothing in it tells whose it is. */
const LEFT_AFTER_MS = 10 * 60_000

/** Makes a folder in memory for the files of a server, and frees those of servers that were killed. */
export function makeMemoryFolder(): string {
    for (const name of readdirSync(ROOT)) {
        const folder = join(ROOT, name)
        if (name.startsWith(PREFIX) && wasLeft(folder)) rmSync(folder, { recursive: true, force: true })
    }
    const folder = mkdtempSync(join(ROOT, PREFIX))
    chmodSync(folder, 0o700)
    giveAway([folder])
    return folder
}

function wasLeft(folder: string): boolean {
    try {
        if (Date.now() - statSync(folder).birthtimeMs < LEFT_AFTER_MS) return false
        const [pid] = readFileSync(join(folder, "postmaster.pid"), "utf8").split("\n")
        process.kill(Number(pid), 0)
        return false
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "ESRCH"
    }
}
