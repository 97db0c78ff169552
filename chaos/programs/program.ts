/** What a process of the campaign runs: one of the roles of a peer, from its task to its end. */
import { pause } from "../pause.ts"
import { peerOf } from "../peers/index.ts"
import type { Daemon, OnEvent } from "../peers/peer.ts"
import type { ProgramTask } from "../processes.ts"
import { Recorder } from "../recorder.ts"
import { ProducerProgram } from "./producer.ts"
import { startOrchestrator, startWorker } from "./worker.ts"

/** A start that fails, since the server is down just then, is tried again, as a user's supervisor would. */
const START_AGAIN_MS = 500
const GAUGE_MS = 1_000

/** Warnings of Node that say nothing of the queue. */
const HARMLESS = new Set(["ExperimentalWarning", "DeprecationWarning"])

const task = JSON.parse(process.argv[2] ?? "") as ProgramTask
const { role, params, options } = task
const recorder = new Recorder(task.recordsFile, options.process)
const onEvent: OnEvent = (event) => recorder.write({ kind: "event", ...event })

// Without the controller there is nothing to be here for.
process.on("disconnect", () => process.exit(0))
recordMishaps()

const peer = await peerOf(task.peer, task.cuckmqPath)
if (role === "prepare") await peer.prepare(options)
else if (role === "prepare-again") await prepareAgain()
else await live()
process.exit(0)

/** As Node does by itself, these end the process; but first they are written down. */
function recordMishaps(): void {
    const die = (what: "unhandled-rejection" | "uncaught-exception") => (error: unknown) => {
        const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
        recorder.write({ kind: "mishap", what, detail })
        process.stderr.write(`${what}: ${detail}\n`)
        process.exit(1)
    }
    process.on("unhandledRejection", die("unhandled-rejection"))
    process.on("uncaughtException", die("uncaught-exception"))
    process.on("warning", (warning) => {
        if (HARMLESS.has(warning.name)) return
        recorder.write({ kind: "mishap", what: "warning", detail: warning.stack ?? warning.message })
    })
}

/** It may meet a server that is down, which is no mishap: the controller hears of it by how this process ends. */
async function prepareAgain(): Promise<void> {
    try {
        await peer.prepareAgain(options)
    } catch (error) {
        if (error instanceof TypeError) throw error
        onEvent({ type: "prepare-failed", jobID: null, detail: String(error).slice(0, 200) })
        process.stderr.write(`${error}\n`)
        process.exit(1)
    }
}

/** From the start until SIGTERM, then in good order to the end. */
async function live(): Promise<void> {
    const stopping = new AbortController()
    process.on("SIGTERM", () => stopping.abort())
    recorder.write({ kind: "started", role, pid: process.pid })
    const daemon = await insistOnStart(stopping.signal)
    if (daemon === undefined) return
    const gauge = setInterval(() => recordConnections(daemon), GAUGE_MS)
    await new Promise<void>((resolve) => {
        if (stopping.signal.aborted) resolve()
        stopping.signal.addEventListener("abort", () => resolve())
    })
    await end(daemon)
    clearInterval(gauge)
}

async function insistOnStart(signal: AbortSignal): Promise<Daemon | undefined> {
    while (!signal.aborted) {
        try {
            return await start()
        } catch (error) {
            if (error instanceof TypeError) throw error
            onEvent({ type: "start-failed", jobID: null, detail: String(error).slice(0, 200) })
            await pause(START_AGAIN_MS, signal)
        }
    }
    return undefined
}

function start(): Promise<Daemon> {
    if (role === "producer") return ProducerProgram.start({ peer, task, recorder })
    if (role === "worker") return startWorker({ peer, task, recorder, onEvent })
    return startOrchestrator({ peer, task, onEvent })
}

async function end(daemon: Daemon): Promise<void> {
    const { graceMs } = params
    const beganMs = performance.now()
    recorder.write({ kind: "stopping", role, pid: process.pid })
    daemon.stop()
    await daemon.join(graceMs)
    const tookMs = Math.round(performance.now() - beganMs)
    recorder.write({ kind: "stopped", role, pid: process.pid, tookMs, graceMs })
}

function recordConnections(daemon: Daemon): void {
    const totals = daemon.poolTotals?.()
    if (totals === undefined) return
    recorder.write({ kind: "gauge", name: "connections", of: options.process, value: totals.total })
}
