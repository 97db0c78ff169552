import { randomUUID } from "node:crypto"
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"

/** A lock that this process holds. */
export interface FileLock {
    release(): void
}

/** Who holds a lock. */
interface Holder {
    readonly pid: number
    /** When that process started, where the system tells: another one may have been given its number since. */
    readonly startedAt: string | null
    /** Tells this hold from every other one. */
    readonly id: string
}

/** A file without a holder in it is being written right now, unless it is older than this. */
const WRITING_MS = 2_000

/** Takes a lock file for this process, or says which process has it. */
export function lockFile(path: string): FileLock | { heldBy: number } {
    const held = acquire(path)
    return "heldBy" in held ? held : { release: () => removeIfHeldBy(path, held) }
}

/**
 * A lock whose process is gone is taken over. Among those who find the same dead holder, the right to replace it is
 * a lock too: the file named after that holder. So one of them gets it, and if that one dies on the way, the next
 * finds its remains and goes on.
 */
function acquire(path: string): Holder | { heldBy: number } {
    for (;;) {
        const mine = { pid: process.pid, startedAt: startOf(process.pid), id: randomUUID() }
        if (create(path, mine)) return mine
        const holder = read(path)
        if (holder === "nobody") continue
        if (isAlive(holder)) return { heldBy: holder.pid }
        const rightPath = `${path}.${holder.id}`
        const right = acquire(rightPath)
        if ("heldBy" in right) return right
        if (isHeldBy(path, holder)) {
            // One step: there is no moment without a lock.
            renameSync(rightPath, path)
            return right
        }
        // Someone was faster: what we got is the right to replace a holder that is no more.
        removeIfHeldBy(rightPath, right)
    }
}

function create(path: string, holder: Holder): boolean {
    try {
        writeFileSync(path, `${JSON.stringify(holder)}\n`, { flag: "wx" })
        return true
    } catch (error) {
        if (isCode(error, "EEXIST")) return false
        throw error
    }
}

function read(path: string): Holder | "nobody" {
    try {
        const text = readFileSync(path, "utf8")
        return parse(text) ?? unfinished(Date.now() - statSync(path).mtimeMs)
    } catch (error) {
        if (isCode(error, "ENOENT")) return "nobody"
        throw error
    }
}

function parse(text: string): Holder | undefined {
    try {
        const { pid, startedAt, id } = JSON.parse(text) as Partial<Holder>
        if (!Number.isSafeInteger(pid) || typeof id !== "string" || !/^[\w-]+$/.test(id)) return undefined
        return { pid: Number(pid), startedAt: typeof startedAt === "string" ? startedAt : null, id }
    } catch {
        return undefined
    }
}

/** Stands for a file whose writer has not written yet, or never will. */
function unfinished(ageMs: number): Holder {
    return { pid: ageMs < WRITING_MS ? process.pid : 0, startedAt: null, id: "unfinished" }
}

function isHeldBy(path: string, { id }: Holder): boolean {
    const holder = read(path)
    return holder !== "nobody" && holder.id === id
}

function removeIfHeldBy(path: string, holder: Holder): void {
    if (isHeldBy(path, holder)) rmSync(path, { force: true })
}

function isAlive({ pid, startedAt }: Holder): boolean {
    if (pid <= 0) return false
    try {
        process.kill(pid, 0)
    } catch (error) {
        // A process of another user may not be signalled, but it is there.
        if (!isCode(error, "EPERM")) return false
    }
    const now = startOf(pid)
    return startedAt === null || now === null || startedAt === now
}

/** When a process started, in the kernel's own count; null on systems without /proc. */
function startOf(pid: number): string | null {
    try {
        const text = readFileSync(`/proc/${pid}/stat`, "utf8")
        // The second field, the program's name, may contain anything; the 22nd is the start.
        return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? null
    } catch {
        return null
    }
}

function isCode(error: unknown, code: string): boolean {
    return error instanceof Error && "code" in error && error.code === code
}
