import { chownSync } from "node:fs"
import { createServer } from "node:net"

/** Postgres and PgBouncer do not run as root; `nobody` is on every Linux. */
const NOBODY = 65534

export function isRoot(): boolean {
    return process.getuid?.() === 0
}

/** What to spawn a server with, so that it does not run as root. */
export function unprivileged(): { uid?: number; gid?: number } {
    return isRoot() ? { uid: NOBODY, gid: NOBODY } : {}
}

/** Gives files and folders to whom servers run as. */
export function giveAway(paths: readonly string[]): void {
    if (isRoot()) for (const path of paths) chownSync(path, NOBODY, NOBODY)
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
    return new Promise((resolve, reject) => {
        const server = createServer()
        server.once("error", reject)
        server.listen(0, "127.0.0.1", () => {
            const address = server.address()
            server.close(() =>
                address !== null && typeof address === "object" ? resolve(address.port) : reject(),
            )
        })
    })
}
