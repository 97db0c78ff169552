import type { Counts, OrchestratorInfo, Pause, StateCounts, WorkerInfo } from "../index.ts"
import type { Queue } from "./command.ts"
import { count, pauseText, short } from "./format.ts"
import { type Cell, type Column, type Look, paint } from "./look.ts"

/** How a queue is. */
export interface Status {
    counts: Counts
    workers: WorkerInfo[]
    orchestrators: OrchestratorInfo[]
    pauses: Pause[]
}

/** Asks how a queue is. */
export async function readStatus({ config, inspector }: Queue): Promise<Status> {
    return {
        counts: await inspector.counts(),
        workers: await inspector.workers(),
        orchestrators: await inspector.orchestrators(),
        pauses: await config.pauses(),
    }
}

const COLUMNS: readonly Column[] = [
    { title: "DEFINITION" },
    { title: "CHANNEL" },
    ...["READY", "DELAYED", "BLOCKED", "RUNNING", "FAILING", "FAILED", "OLDEST"].map((title) => ({
        title,
        isNumber: true,
    })),
    { title: "" },
]

/** Says how a queue is. */
export function statusLines({ counts, workers, orchestrators, pauses }: Status, look: Look): string[] {
    const rows = counts.definitions.map((one) => [
        one.definition,
        one.channel,
        ...numbers(one),
        one.oldestReady === null ? "-" : short(one.oldestReady.ageMs),
        paint("yellow", pausedText(one)),
    ])
    const total = ["total", "", ...numbers(counts.total), "", ""]
    const [numWorkers, numOrchestrators] = [liveOf(workers), liveOf(orchestrators)]
    const numRunning = workers.reduce((sum, worker) => sum + (worker.isLive ? worker.numRunning : 0), 0)
    const numSlots = workers.reduce((sum, worker) => sum + (worker.isLive ? worker.concurrency : 0), 0)
    return [
        ...look.table(COLUMNS, [...rows, total]),
        "",
        look.line(
            `history: about ${counts.finalized.num}   workers: `,
            paint(numWorkers === 0 ? "yellow" : null, numWorkers),
            ` live, ${numRunning} of ${numSlots} slots taken   orchestrators: `,
            paint(numOrchestrators === 0 ? "yellow" : null, numOrchestrators),
            " live",
        ),
        ...pauses.map((pause) => look.line(paint("yellow", "paused: "), pauseText(pause))),
    ]
}

function numbers({ ready, delayed, blocked, running, failing, failed }: StateCounts): Cell[] {
    return [
        ...[ready, delayed, blocked, running].map(count),
        paint(failing.num > 0 ? "yellow" : null, count(failing)),
        paint(failed.num > 0 ? "red" : null, count(failed)),
    ]
}

function pausedText({ isPaused, numPausedKeys }: { isPaused: boolean; numPausedKeys: number }): string {
    if (isPaused) return "paused"
    return numPausedKeys === 0 ? "" : `${numPausedKeys} keys paused`
}

function liveOf(daemons: readonly OrchestratorInfo[]): number {
    return daemons.filter(({ isLive }) => isLive).length
}
