import { spawn } from "node:child_process"
import { onTestFinished } from "vitest"
import { eventually } from "./with-schema.ts"

/** A program in a process of its own, which ends with the test. */
export interface Program {
    readonly pid: number
    /** Resolves when it has ended and all its output is there. */
    readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
    /** Everything that it has printed so far. */
    output(): string
    /** Resolves when it has printed that, and rejects when it ends without. */
    hasPrinted(text: string | RegExp): Promise<unknown>
    /** Sends a signal to it alone, or to all of its group, as a terminal does at Ctrl-C. */
    signal(signal: NodeJS.Signals, to?: "program" | "group"): void
    write(text: string): void
}

/** Long enough for a machine that is busy with other tests. */
const PRINT_MS = 90_000

/** Starts a program. */
export function startProgram(
    command: string,
    args: readonly string[],
    options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Program {
    const child = spawn(command, args, { ...options, detached: true, stdio: ["pipe", "pipe", "pipe"] })
    const pid = child.pid
    if (pid === undefined) throw new Error(`${command} could not be started`)
    let output = ""
    let hasEnded = false
    for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8")
        stream.on("data", (chunk: string) => {
            output += chunk
        })
    }
    const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
        child.once("close", (code, signal) => {
            hasEnded = true
            resolve({ code, signal })
        })
    })
    onTestFinished(async () => {
        if (!hasEnded) process.kill(-pid, "SIGKILL")
        await ended
    })
    return {
        pid,
        ended,
        output: () => output,
        hasPrinted: (text) =>
            eventually(() => {
                const isThere = typeof text === "string" ? output.includes(text) : text.test(output)
                if (!isThere && hasEnded) throw new Error(`it ended without printing ${text}: ${output}`)
                return isThere
            }, PRINT_MS),
        signal: (signal, to = "program") => process.kill(to === "group" ? -pid : pid, signal),
        write: (text) => child.stdin.write(text),
    }
}
