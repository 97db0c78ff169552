/** The program of the proxy's process. Takes its orders from the process that forked it, and ends with it. */
import { Random } from "../random.ts"
import { Relay } from "./relay.ts"

/** What the proxy is given. */
export interface ProxyTask {
    readonly serverPort: number
    readonly seed: number
}

/** The orders that it takes: methods of `Relay` with one parameter. */
export type OrderName =
    | "reset"
    | "halfClose"
    | "delay"
    | "split"
    | "stall"
    | "swallow"
    | "refuse"
    | "loseAnswers"

export interface Order {
    readonly id: number
    readonly name: OrderName
    readonly params: unknown
}

/** What it tells: its port, once; and of each order that it is done. */
export type ProxyReport = { kind: "listening"; port: number } | { kind: "done"; id: number; value: number }

process.once("disconnect", () => process.exit())

const task = JSON.parse(process.argv[2] ?? "") as ProxyTask
const random = new Random(task.seed)
const relay = new Relay({ serverPort: task.serverPort, random: () => random.next() })

function tell(report: ProxyReport): void {
    process.send?.(report)
}

process.on("message", async ({ id, name, params }: Order) => {
    const act = relay[name] as (params: unknown) => number | Promise<number | undefined>
    const value = await act.call(relay, params)
    tell({ kind: "done", id, value: value ?? 0 })
})

tell({ kind: "listening", port: await relay.listen() })
