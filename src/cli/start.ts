#!/usr/bin/env node
import { userInfo } from "node:os"
import { createInterface } from "node:readline/promises"
import type { Io } from "./io.ts"
import { main } from "./main.ts"

const FORCED_END_MS = 1_000

const interrupted = new AbortController()
// The second time the process ends at once, as it would without us.
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => interrupted.abort())

// Whoever reads our output may have seen enough, as `head` has.
process.stdout.on("error", () => process.exit(0))

/** A container may run as a user that has no name. */
function userName(): string | undefined {
    try {
        return userInfo().username || undefined
    } catch {
        return undefined
    }
}

const io: Io = {
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    isInteractive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    user: userName(),
    signal: interrupted.signal,
    wait: (ms) =>
        new Promise((resolve) => {
            const end = () => {
                clearTimeout(timer)
                interrupted.signal.removeEventListener("abort", end)
                resolve()
            }
            const timer = setTimeout(end, ms)
            interrupted.signal.addEventListener("abort", end)
            if (interrupted.signal.aborted) end()
        }),
    ask: async (question) => {
        const asking = createInterface({ input: process.stdin, output: process.stderr })
        // What is typed while a line is read does not come as a signal.
        asking.on("SIGINT", () => interrupted.abort())
        try {
            return await asking.question(question, { signal: interrupted.signal })
        } catch {
            return ""
        } finally {
            asking.close()
        }
    },
    onKey: (hear) => {
        const { stdin } = process
        const onData = (data: Buffer) => hear(data.toString())
        stdin.setRawMode?.(true)
        stdin.on("data", onData).resume()
        return () => {
            stdin.setRawMode?.(false)
            stdin.off("data", onData).pause()
        }
    },
    loadPg: async () => (await import("pg")).default,
}

process.exitCode = await main(process.argv.slice(2), io)
// What still waits need not, and would hold the process.
interrupted.abort()
setTimeout(() => process.exit(), FORCED_END_MS).unref()
