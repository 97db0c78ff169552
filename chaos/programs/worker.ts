import type { Daemon, OnEvent, Peer } from "../peers/peer.ts"
import type { ProgramTask } from "../processes.ts"
import type { Recorder } from "../recorder.ts"
import { makeHandler } from "./handler.ts"
import { tellThreads } from "./thread-handler.ts"
import { makePool } from "./transaction.ts"

/** Handlers of one process that have transactions of their own at the same time; the others wait. */
const NUM_OWN_CONNECTIONS = 2

/** A worker of the peer's, with the handler of all peers. */
export async function startWorker(params: {
    peer: Peer
    task: ProgramTask
    recorder: Recorder
    onEvent: OnEvent
}): Promise<Daemon> {
    const { peer, task, recorder, onEvent } = params
    const { connectionString, process } = task.options
    const pool = makePool({ connectionString, process, max: NUM_OWN_CONNECTIONS })
    const handler = makeHandler({ recorder, pool })
    tellThreads({ recordsFile: task.recordsFile, process })
    return peer.startWorker(task.options, { concurrency: task.params.concurrency, handler, onEvent })
}

/** An orchestrator of the peer's. Where workers do its duties, or nobody does, a process that does nothing. */
export async function startOrchestrator(params: {
    peer: Peer
    task: ProgramTask
    onEvent: OnEvent
}): Promise<Daemon> {
    const { peer, task, onEvent } = params
    const daemon = await peer.startOrchestrator?.(task.options, onEvent)
    return daemon ?? { stop: () => undefined, join: () => Promise.resolve() }
}
