import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { onTestFinished } from "vitest"
import { type Queue, queueURL } from "./with-schema.ts"

const PROGRAM = fileURLToPath(new URL("programs/worker.ts", import.meta.url))

/** A worker in another process. */
export interface ChildWorker {
    readonly process: ChildProcess
    /** The attempts that it has started. */
    readonly attempts: number[]
    readonly ended: Promise<void>
}

/** Starts a process with a worker for the definition `job` of a queue; see the program for what its handler does. */
export function spawnWorker(
    queue: Queue,
    handler: "hang" | "abort" | "block" | "complete" | "commit",
): ChildWorker {
    const child = spawn(
        process.execPath,
        ["--import", "tsx", PROGRAM, queueURL(), queue.schemaName, handler],
        { stdio: ["ignore", "pipe", "ignore"] },
    )
    const attempts: number[] = []
    child.stdout?.on("data", (chunk: Buffer) => {
        attempts.push(...chunk.toString().trim().split("\n").map(Number))
    })
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()))
    onTestFinished(async () => {
        child.kill("SIGKILL")
        await ended
    })
    return { process: child, attempts, ended }
}
