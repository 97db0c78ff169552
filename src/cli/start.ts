#!/usr/bin/env node
import { userInfo } from "node:os"
import { createInterface } from "node:readline/promises"
import { EXIT } from "./exit.ts"
import { Interruption } from "./interruption.ts"
import type { Io } from "./io.ts"
import { main } from "./main.ts"

const FORCED_END_MS = 1_000

const interruption = new Interruption()
const { signal } = interruption

// Whoever reads our output may have seen enough, as `head` has. What is under way may have to be cleared up first.
let isReaderGone = false
process.stdout.on("error", () => {
    isReaderGone = true
    interruption.request()
})
// The terminal is gone, and so is who would read of it.
process.stderr.on("error", () => undefined)

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
    signal,
    hearHangup: () => interruption.hearHangup(),
    wait: (ms) =>
        new Promise((resolve) => {
            const end = () => {
                clearTimeout(timer)
                signal.removeEventListener("abort", end)
                resolve()
            }
            const timer = setTimeout(end, ms)
            signal.addEventListener("abort", end)
            if (signal.aborted) end()
        }),
    ask: async (question) => {
        const asking = createInterface({ input: process.stdin, output: process.stderr })
        // What is typed while a line is read does not come as a signal.
        asking.on("SIGINT", () => interruption.request())
        try {
            return await asking.question(question, { signal })
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
    loadEmbedded: () => import("../embedded.ts"),
}

const exitCode = await main(process.argv.slice(2), io)
process.exitCode = isReaderGone ? EXIT.ok : exitCode
// What still waits need not, and would hold the process.
interruption.request()
setTimeout(() => process.exit(), FORCED_END_MS).unref()
