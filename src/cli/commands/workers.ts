import type { OrchestratorInfo, WorkerInfo } from "../../index.ts"
import type { Command } from "../command.ts"
import { EXIT } from "../exit.ts"
import { short } from "../format.ts"
import { type Cell, paint } from "../look.ts"

const COLUMNS = [
    { title: "NAME" },
    { title: "KIND" },
    { title: "STATE" },
    { title: "CHANNEL" },
    { title: "RUNNING", isNumber: true },
    { title: "HOST" },
    { title: "PID", isNumber: true },
    { title: "VERSION" },
    { title: "SEEN", isNumber: true },
    { title: "DEFINITIONS" },
]

/** Who is there. */
export const workers: Command = {
    name: "workers",
    summary: "list workers and orchestrators, and what they run",
    details: ["SEEN is how long ago one was heard of. One that is silent for 30 seconds counts as gone."],
    run: async ({ out, queue }) => {
        const { inspector } = await queue()
        const found = { workers: await inspector.workers(), orchestrators: await inspector.orchestrators() }
        out.show(found, (look) =>
            look.table(COLUMNS, [
                ...found.workers.map((one) => rowOf("worker", one)),
                ...found.orchestrators.map((one) => rowOf("orchestrator", one)),
            ]),
        )
        return EXIT.ok
    },
}

function rowOf(kind: string, daemon: OrchestratorInfo | WorkerInfo): Cell[] {
    const isWorker = "channel" in daemon
    return [
        daemon.name,
        kind,
        stateOf(daemon),
        isWorker ? daemon.channel : "-",
        isWorker ? `${daemon.numRunning}/${daemon.concurrency}` : "-",
        daemon.host,
        daemon.pid,
        daemon.version,
        short(Date.now() - daemon.heartbeatAt.getTime()),
        daemon.definitions.join(", "),
    ]
}

function stateOf({ isLive, isStopping }: OrchestratorInfo): Cell {
    if (!isLive) return paint("red", "silent")
    return isStopping ? paint("yellow", "stopping") : paint("green", "live")
}
