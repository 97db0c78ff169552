import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { PeerOptions } from "./peers/peer.ts"

const PROGRAM = fileURLToPath(new URL("worker.ts", import.meta.url))

/** What a worker process is given. */
export interface WorkerTask {
    peerID: string
    options: PeerOptions
}

/** What it tells. */
export type WorkerReport =
    | { kind: "connected" }
    | { kind: "working" }
    | { kind: "resting" }
    | { kind: "count"; numJobs: number }
    | { kind: "ended"; numJobs: number; processMicros: number; latenciesMs: number[] }

/** A worker in a process of its own. */
export class WorkerProcess {
    readonly #child: ChildProcess
    readonly #waiting = new Map<WorkerReport["kind"], (report: WorkerReport) => void>()
    numJobs = 0

    private constructor(child: ChildProcess) {
        this.#child = child
        child.on("message", (report: WorkerReport) => {
            if (report.kind === "count") this.numJobs = report.numJobs
            this.#waiting.get(report.kind)?.(report)
        })
        child.once("exit", (code) => {
            if (code !== 0) console.error(`a worker process ended with ${code}`)
        })
    }

    /** Resolves when the process has connected. */
    static async start(task: WorkerTask): Promise<WorkerProcess> {
        const child = fork(PROGRAM, [JSON.stringify(task)], { stdio: ["ignore", "ignore", "inherit", "ipc"] })
        const worker = new WorkerProcess(child)
        await worker.#next("connected")
        return worker
    }

    get pid(): number {
        return this.#child.pid as number
    }

    /** Begins to work, and to count. */
    async begin(): Promise<void> {
        this.numJobs = 0
        const begun = this.#next("working")
        this.#child.send("begin")
        await begun
    }

    /** Ceases to work; may begin again. */
    async rest(): Promise<void> {
        const resting = this.#next("resting")
        this.#child.send("rest")
        await resting
    }

    /** Ends the process and returns what it did since it began. */
    async end(): Promise<Extract<WorkerReport, { kind: "ended" }>> {
        const ended = this.#next("ended")
        const exited = new Promise((resolve) => this.#child.once("exit", resolve))
        this.#child.send("end")
        const report = await ended
        await exited
        return report as Extract<WorkerReport, { kind: "ended" }>
    }

    #next(kind: WorkerReport["kind"]): Promise<WorkerReport> {
        return new Promise((resolve, reject) => {
            this.#waiting.set(kind, resolve)
            this.#child.once("exit", () => reject(new Error(`the worker process ended before "${kind}"`)))
        })
    }
}
