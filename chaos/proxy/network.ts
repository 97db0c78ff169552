import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { NetworkConditions } from "../faults/fault.ts"
import type { Order, OrderName, ProxyReport, ProxyTask } from "./program.ts"

const PROGRAM = fileURLToPath(new URL("program.ts", import.meta.url))

/** The proxy in a process of its own, so that what it does to others is not slowed by what the controller does. */
export class Network implements NetworkConditions {
    readonly #child: ChildProcess
    readonly #waiting = new Map<number, (value: number) => void>()
    #numOrders = 0
    readonly port: number

    private constructor(child: ChildProcess, port: number) {
        this.#child = child
        this.port = port
        child.on("message", (report: ProxyReport) => {
            if (report.kind !== "done") return
            this.#waiting.get(report.id)?.(report.value)
            this.#waiting.delete(report.id)
        })
        // Nothing waits for a proxy that is gone.
        child.once("exit", () => {
            for (const resolve of this.#waiting.values()) resolve(0)
        })
    }

    static async start(task: ProxyTask): Promise<Network> {
        const child = fork(PROGRAM, [JSON.stringify(task)], { stdio: ["ignore", "ignore", "inherit", "ipc"] })
        const port = await new Promise<number>((resolve, reject) => {
            child.once("message", (report: ProxyReport) => {
                if (report.kind === "listening") resolve(report.port)
            })
            child.once("exit", (code) => reject(new Error(`the proxy ended with ${code}`)))
        })
        return new Network(child, port)
    }

    get isRunning(): boolean {
        return this.#child.exitCode === null && this.#child.signalCode === null
    }

    stop(): void {
        this.#child.kill("SIGKILL")
    }

    reset(params: { share: number; which?: "all" | "listeners" }): Promise<number> {
        return this.#order("reset", { which: "all", ...params })
    }

    halfClose(params: { share: number; which?: "all" | "listeners" }): Promise<number> {
        return this.#order("halfClose", { which: "all", ...params })
    }

    async delay(params: { ms: number; forMs: number }): Promise<void> {
        await this.#order("delay", params)
    }

    stall(params: {
        share: number
        which?: "all" | "listeners"
        forMs: number
        alsoNew: boolean
    }): Promise<number> {
        return this.#order("stall", { which: "all", ...params })
    }

    swallow(params: {
        share: number
        which?: "all" | "listeners"
        forMs: number
        alsoNew: boolean
    }): Promise<number> {
        return this.#order("swallow", { which: "all", ...params })
    }

    async refuse(params: { forMs: number }): Promise<void> {
        await this.#order("refuse", params)
    }

    loseAnswers(params: Parameters<NetworkConditions["loseAnswers"]>[0]): Promise<number> {
        return this.#order("loseAnswers", params)
    }

    async split(params: { forMs: number }): Promise<void> {
        await this.#order("split", params)
    }

    #order(name: OrderName, params: unknown): Promise<number> {
        if (!this.isRunning) return Promise.resolve(0)
        const id = this.#numOrders++
        return new Promise((resolve) => {
            this.#waiting.set(id, resolve)
            this.#child.send({ id, name, params } satisfies Order)
        })
    }
}
