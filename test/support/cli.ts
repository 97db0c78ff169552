import pg from "pg"
import { inject } from "vitest"
import type { Io } from "../../src/cli/io.ts"
import { main } from "../../src/cli/main.ts"

/** What a command line has printed, and what it ended with. */
export interface CliResult {
    code: number
    stdout: string
    stderr: string
}

/** A command line under way. */
export interface CliRun {
    readonly result: Promise<CliResult>
    /** What it has printed so far. */
    stdout(): string
    /** What it has said besides. */
    stderr(): string
    /** What Ctrl-C does. */
    interrupt(): void
    /** Presses a key. */
    press(key: string): void
}

/** What differs between the processes that a command line may run in. */
export interface CliWorld {
    env?: Record<string, string>
    /** Makes output a terminal of so many columns. */
    columns?: number
    /** Makes somebody sit there, who gives this answer. */
    answer?: string
    loadPg?: Io["loadPg"]
    loadEmbedded?: Io["loadEmbedded"]
}

/** Runs a command line in this process. It waits a hundredth of the time that it would. */
export function startCli(argv: readonly string[], world: CliWorld = {}): CliRun {
    const out = { stdout: "", stderr: "" }
    const interrupted = new AbortController()
    let onKey: (key: string) => void = () => undefined
    const streamOf = (name: "stdout" | "stderr") => ({
        write: (text: string) => {
            out[name] += text
        },
        isTTY: world.columns !== undefined,
        columns: world.columns,
        rows: 30,
    })
    const io: Io = {
        env: { DATABASE_URL: inject("queueConnectionString"), ...world.env },
        stdout: streamOf("stdout"),
        stderr: streamOf("stderr"),
        isInteractive: world.answer !== undefined,
        user: "tester",
        signal: interrupted.signal,
        wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms / 100)),
        ask: async (question) => {
            out.stderr += question
            return world.answer ?? ""
        },
        onKey: (hear) => {
            onKey = hear
            return () => {
                onKey = () => undefined
            }
        },
        hearHangup: () => undefined,
        loadEmbedded: world.loadEmbedded ?? (() => import("../../src/embedded.ts")),
        loadPg: world.loadPg ?? (async () => pg),
    }
    return {
        result: main(argv, io).then((code) => ({ code, ...out })),
        stdout: () => out.stdout,
        stderr: () => out.stderr,
        interrupt: () => interrupted.abort(),
        press: (key) => onKey(key),
    }
}

/** Runs a command line to its end. */
export function runCli(argv: readonly string[], world: CliWorld = {}): Promise<CliResult> {
    return startCli(argv, world).result
}
